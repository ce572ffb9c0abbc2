// What a verification can find wrong. Of everything found the first is what to look at: all that comes after may follow
// from it.

export const FINDING_KINDS = [
  'altered',
  'deleted',
  'inserted',
  'reordered',
  'truncated',
  'forked',
  'unsigned',
] as const;
export type FindingKind = (typeof FINDING_KINDS)[number];

/** What it was found in. */
export type FoundIn = 'checkpoint' | 'tile' | 'leaf' | 'record' | 'control event';

export interface Finding {
  readonly kind: FindingKind;
  readonly in: FoundIn;
  /** One sentence: what does not agree with what. */
  readonly what: string;
  readonly stream?: string;
  readonly seq?: number;
  readonly call_id?: string;
  /** Of the leaf that holds it, or should. */
  readonly log_index?: number;
  /** In the exported directory. */
  readonly file?: string;
}

export type Report = (finding: Finding) => void;

/** `deleted: record 7 of stream a1, log index 3: …` */
export function findingLine(finding: Finding): string {
  const { kind, stream, seq, call_id, log_index, file, what } = finding;
  const place = [
    seq === undefined ? finding.in : `${finding.in} ${seq} of stream ${stream}`,
    ...(call_id ? [`call ${call_id}`] : []),
    ...(log_index === undefined ? [] : [`log index ${log_index}`]),
    ...(file === undefined ? [] : [file]),
  ].join(', ');
  return `${kind}: ${place}: ${what}`;
}
