// What is held apart, as the collector said last: looked up for every call and for every call under way. Each entry ends
// by this process's own clock. While nothing is held apart a call pays one comparison, else one look-up for each kind of
// subject that is.

import {
  covers,
  keyOf,
  type QuarantineKind,
  type QuarantineLine,
  readSubject,
} from '../../contract/quarantine.ts';
import type { Clock } from '../../kit/clock.ts';
import type { Known } from '../call.ts';
import type { Description } from '../dialects/dialect.ts';

export interface Quarantine {
  /** The whole list, in place of the one before. */
  learn(lines: readonly QuarantineLine[]): void;
  /** What holds a call apart, by what is known of it yet; undefined for a call that may go on. */
  of(call: Known): QuarantineLine | undefined;
  /** The same for another model than the call asks for. */
  ofModel(upstream: string, model: string): QuarantineLine | undefined;
  /** Subjects in force. */
  readonly size: number;
}

interface Entry {
  readonly line: QuarantineLine;
  readonly owner: string;
  readonly endsMs: number;
}

/** Subjects of one kind: those with `*` are tried one by one. */
interface Shelf {
  readonly exact: Map<string, Entry>;
  readonly patterns: { readonly matches: (key: string) => boolean; readonly entry: Entry }[];
}

const emptyShelf = (): Shelf => ({ exact: new Map(), patterns: [] });
const isEmpty = (shelf: Shelf): boolean => shelf.exact.size === 0 && shelf.patterns.length === 0;

export function createQuarantine(clock: Clock): Quarantine {
  let shelves = shelvesOf([], 0);
  let size = 0;

  const find = (kind: QuarantineKind, owner: string, name = ''): QuarantineLine | undefined => {
    const shelf = shelves[kind];
    if (isEmpty(shelf)) return undefined;
    const key = name === '' ? owner : `${owner}/${name}`;
    const exact = shelf.exact.get(key);
    if (exact && lasts(exact)) return exact.line;
    return shelf.patterns.find(({ matches, entry }) => matches(key) && lasts(entry))?.entry.line;
  };

  /** What is over must not stand before another that is not. */
  const lasts = ({ endsMs }: Entry): boolean => clock.monotonicMs() < endsMs;

  const ofCaller = ({ agent, lineage }: Known): QuarantineLine | undefined =>
    agent &&
    (find('agent', agent.name) ?? (lineage?.task ? find('task', agent.name, lineage.task) : undefined));

  const ofTarget = ({ upstream, description, body }: Known): QuarantineLine | undefined => {
    if (!upstream) return undefined;
    const whole = find('upstream', upstream.name);
    if (whole || (isEmpty(shelves.model) && isEmpty(shelves.tool))) return whole;
    if (description) return ofDescribed(upstream.name, description);
    return body && hidden(upstream.name);
  };

  const ofDescribed = (upstream: string, description: Description): QuarantineLine | undefined => {
    const { model, acts, hostedTools, requests } = description;
    let found = model ? find('model', upstream, model) : undefined;
    for (const { name } of acts) if (name !== '') found ??= find('tool', upstream, name);
    for (const name of hostedTools) found ??= find('tool', upstream, name);
    for (const request of requests) found ??= ofDescribed(upstream, request.description);
    return found;
  };

  /** Nobody could read what an observed call asks for, so it might be what is held apart there. */
  const hidden = (upstream: string): QuarantineLine | undefined => {
    for (const { exact, patterns } of [shelves.model, shelves.tool])
      for (const entry of [...exact.values(), ...patterns.map((each) => each.entry)])
        if ((entry.owner === upstream || entry.owner.includes('*')) && lasts(entry)) return entry.line;
    return undefined;
  };

  return {
    learn(lines) {
      shelves = shelvesOf(lines, clock.monotonicMs());
      size = lines.length;
    },
    of: (call) => (size === 0 ? undefined : (find('fleet', '') ?? ofCaller(call) ?? ofTarget(call))),
    ofModel: (upstream, model) =>
      size === 0 ? undefined : (find('upstream', upstream) ?? find('model', upstream, model)),
    get size() {
      return size;
    },
  };
}

type Shelves = Readonly<Record<QuarantineKind, Shelf>>;

/** A line of a later release, of a kind nobody here knows, holds nothing. */
function shelvesOf(lines: readonly QuarantineLine[], nowMs: number): Shelves {
  const shelves: Shelves = {
    fleet: emptyShelf(),
    agent: emptyShelf(),
    task: emptyShelf(),
    upstream: emptyShelf(),
    model: emptyShelf(),
    tool: emptyShelf(),
  };
  for (const line of lines) {
    const subject = readSubject(line.subject);
    if (!subject) continue;
    const endsMs = line.ms_left === null ? Number.POSITIVE_INFINITY : nowMs + line.ms_left;
    const entry = { line, owner: subject.owner, endsMs };
    const key = keyOf(subject);
    const shelf = shelves[subject.kind];
    if (key.includes('*')) shelf.patterns.push({ matches: covers(subject), entry });
    else shelf.exact.set(key, entry);
  }
  return shelves;
}
