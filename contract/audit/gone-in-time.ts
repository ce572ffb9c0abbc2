// What is no longer kept: entries of a log below an index, or a whole log that ended. A verifier does without them only
// where a leaf under the checkpoint says that they went, and came long enough after all that did.
//
//   what went ──▶ first that is left ──── at least 90 days ────▶ leaf `pruned` that says so

import { AUDIT_DAYS_MIN } from '../config/defaults.ts';
import type { PlacedLeaf } from './chains.ts';

const DAY_MS = 86_400_000;

/** Looked for among leaves that pass, from the first that is left on. */
export class GoneInTime {
  readonly #says: (leaf: PlacedLeaf) => boolean;
  #firstMs: number | null = null;
  #saidMs: number | null = null;

  /** `says`: whether a leaf says that it went. */
  constructor(says: (leaf: PlacedLeaf) => boolean) {
    this.#says = says;
  }

  pass(leaf: PlacedLeaf): void {
    this.#firstMs ??= leaf.receivedMs;
    if (leaf.kind === 'pruned' && this.#says(leaf)) this.#saidMs ??= leaf.receivedMs;
  }

  /** Why it may not be missing, as the end of a sentence; null: it may. */
  whyNot(): string | null {
    if (this.#saidMs === null) return 'the log does not say that they went in their time';
    const keptMs = this.#saidMs - (this.#firstMs ?? this.#saidMs);
    return keptMs >= AUDIT_DAYS_MIN * DAY_MS
      ? null
      : `went when the first that is left was ${Math.floor(keptMs / DAY_MS)} days old: they are kept for at least ${AUDIT_DAYS_MIN}`;
  }
}
