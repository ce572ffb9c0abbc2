// Which links of which chains a shipped request holds, said by the sidecar that sealed them in one attribute of the
// request's resource. The head commits to every link before it, so whoever keeps the ranges of all requests can prove
// later that no record was dropped between them, without having read one.

/** Links `first` to `last` of a stream, none missing, and the hash of the last. */
export interface ChainRange {
  readonly stream: string;
  readonly first: number;
  readonly last: number;
  /** Lower-case hex of SHA-256. */
  readonly head: string;
}

export interface ChainLink {
  readonly stream: string;
  readonly seq: number;
  readonly hash: string;
}

/** A sidecar's request holds links of one stream, of two after it began another; a relay may join several. */
export const CHAIN_RANGES_MAX = 64;
export const STREAM_CHARACTERS_MAX = 512;

/** The runs of consecutive links among `links`, which may come in any order; streams in the order of their first link. */
export function chainRangesOf(links: readonly ChainLink[]): ChainRange[] {
  const ranges: ChainRange[] = [];
  for (const [stream, own] of Map.groupBy(links, (link) => link.stream)) {
    let run: ChainRange | undefined;
    for (const { seq, hash } of own.toSorted((a, b) => a.seq - b.seq)) {
      if (run && seq === run.last + 1) run = { ...run, last: seq, head: hash };
      else {
        if (run) ranges.push(run);
        run = { stream, first: seq, last: seq, head: hash };
      }
    }
    if (run) ranges.push(run);
  }
  return ranges;
}

/** As the attribute's text: JSON, `[[stream, first, last, head], …]`. */
export const chainRangesText = (ranges: readonly ChainRange[]): string =>
  JSON.stringify(ranges.map(({ stream, first, last, head }) => [stream, first, last, head]));

/** The ranges an attribute's text speaks of; null where it is not one that `chainRangesText` writes. */
export function parseChainRanges(text: string): ChainRange[] | null {
  const parsed = jsonOf(text);
  if (!Array.isArray(parsed) || parsed.length > CHAIN_RANGES_MAX) return null;
  const ranges = parsed.map(rangeOf);
  return ranges.every((range) => range !== null) ? ranges : null;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null; // whoever sent it claims nothing, then
  }
}

function rangeOf(parts: unknown): ChainRange | null {
  if (!Array.isArray(parts) || parts.length !== 4) return null;
  const [stream, first, last, head] = parts as unknown[];
  if (typeof stream !== 'string' || stream === '' || stream.length > STREAM_CHARACTERS_MAX) return null;
  if (!isSeq(first) || !isSeq(last) || last < first) return null;
  if (typeof head !== 'string' || !/^[0-9a-f]{64}$/.test(head)) return null;
  return { stream, first, last, head };
}

const isSeq = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
