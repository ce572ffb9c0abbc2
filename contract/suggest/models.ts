// Names of models to the fewest names and patterns that say no more: exact, but for several dated releases of one model.

const DATED = /^(.+[-@])20\d{2}-?\d{2}-?\d{2}$/;

/**
 * `gpt-5-2025-08-07`, `gpt-5-2025-11-01` → `gpt-5-20*`: the next release too, but never `gpt-5-pro`. One release alone
 * stays as it is.
 */
export function modelPatterns(models: readonly string[]): readonly string[] {
  const releases = new Map<string, Set<string>>();
  const exact = new Set<string>();
  for (const model of models) {
    const base = DATED.exec(model)?.[1];
    if (base === undefined) exact.add(model);
    else releases.set(base, (releases.get(base) ?? new Set()).add(model));
  }
  const patterns = [...releases].map(([base, dated]) => (dated.size > 1 ? `${base}20*` : [...dated][0]!));
  return [...exact, ...patterns].sort();
}
