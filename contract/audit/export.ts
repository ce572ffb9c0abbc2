// What `outrider audit export` writes and `outrider audit verify` reads: a directory that needs neither store nor network.
//
//   checkpoint                      the newest, a signed note           vkey       the public key it is signed with
//   checkpoints/…                   those kept from before              MANIFEST.json
//   tile/<level>/…  tile/entries/…  the log itself (kit/tlog/tiles.ts)
//   logs/<name>/checkpoint  tile/…  a log that ended before this one began, as its first leaf says
//   actions/2026-11-21T09.jsonl     rows of `actions` that began in that hour, in no order; every number as a string
//   control-events.jsonl            rows of the control events' chain, in its order
//
// Which rows: those of every leaf received in the range, and no others, so that each row is under the checkpoint and each
// leaf has its rows. Without a range, all that are kept.

export const EXPORT_VERSION = 1;

export const EXPORT_FILES = {
  checkpoint: 'checkpoint',
  checkpoints: 'checkpoints',
  logs: 'logs',
  verifierKey: 'vkey',
  manifest: 'MANIFEST.json',
  actions: 'actions',
  controlEvents: 'control-events.jsonl',
} as const;

/** MANIFEST.json. Nothing in it is signed: it says what to expect, and makes nothing true. */
export interface ExportManifest {
  readonly version: number;
  readonly fleet: string;
  readonly made_at: string;
  /** ISO 8601, by when the collector received a request; null: from the beginning, to the checkpoint. */
  readonly since: string | null;
  readonly until: string | null;
  /** The lowest log index whose entry is kept: a multiple of 256. */
  readonly minimum_index: number;
  /** The same of each log that ended before; left out by earlier releases, which exported whole ones alone. */
  readonly logs?: readonly { readonly name: string; readonly minimum_index: number }[];
  readonly actions: number;
  readonly control_events: number;
}

/** A folder of the directory, as if it were the whole. */
export function filesBelow(files: ExportedFiles, folder: string): ExportedFiles {
  const below = (path: string): string => `${folder}/${path}`;
  return {
    read: (path) => files.read(below(path)),
    list: (path) => files.list(below(path)),
    lines: (path) => files.lines(below(path)),
  };
}

/** Of a time in milliseconds: `2026-11-21T09.jsonl`. */
export const hourFile = (ms: number): string => `${new Date(ms).toISOString().slice(0, 13)}.jsonl`;

/** The end of the hour that a file is named after, in milliseconds; NaN for another name. */
export function hourEnd(file: string): number {
  const [, hour] = /^(\d{4}-\d\d-\d\dT\d\d)\.jsonl$/.exec(file) ?? [];
  return Date.parse(`${hour}:00:00Z`) + 3_600_000;
}

/** The directory, as whoever verifies sees it: paths with `/`, from its root. */
export interface ExportedFiles {
  /** Rejects where there is no such file. */
  read(path: string): Promise<Buffer>;
  /** Names in a folder, sorted; none where there is no such folder. */
  list(folder: string): Promise<readonly string[]>;
  /** Lines without their ends, in bunches; none where there is no such file. */
  lines(path: string): AsyncIterable<readonly string[]>;
}
