// What a backup says of itself, and how far the collector is with one.

/** The file `manifest.json` of a backup; it is written last, so a folder without one is no backup. */
export interface BackupManifest {
  readonly format: 1;
  readonly made_at: string;
  readonly outrider: string;
  readonly clickhouse: string;
  /** Rows of each table of the store. */
  readonly rows: Readonly<Record<string, number>>;
  /** Each sidecar's chain of records: how many, the last of them, and a digest over all. */
  readonly audit: readonly {
    readonly stream: string;
    readonly records: string;
    readonly last_seq: string;
    readonly last_hash: string;
    readonly digest: string;
  }[];
  /** Rows of each table of control state, and a digest over them. */
  readonly control: Readonly<Record<string, { readonly rows: string; readonly digest: string }>>;
  /** Every folder, empty ones too: Postgres misses them, and not every way of keeping files keeps them. */
  readonly folders: readonly string[];
  /** What is on servers and in no file; a collector that has it all embedded says nothing. */
  readonly elsewhere?: readonly BackupElsewhere[];
  readonly files: readonly {
    readonly path: string;
    readonly bytes: number;
    /** SHA-256, lower-case hex. */
    readonly sha256: string;
  }[];
}

/** A part that a server holds. */
export interface BackupElsewhere {
  readonly part: 'tables' | 'control state';
  /** `host:port/database`. */
  readonly place: string;
  /** The statement, or the command, that backs it up there. */
  readonly run: string;
}

export const BACKUP_STEPS = ['settling', 'control state', 'store', 'hashes', 'done', 'failed'] as const;
export type BackupStep = (typeof BACKUP_STEPS)[number];

/** GET /v1/store/backup: the backup that is being made, or was made last. */
export interface BackupState {
  readonly id: string;
  readonly step: BackupStep;
  /** Of this step; the total is 0 where nobody knows it yet. */
  readonly bytes: number;
  readonly bytes_total: number;
  /** The folder on the collector's machine. */
  readonly path: string;
  /** Why it failed; empty otherwise. */
  readonly failure: string;
}
