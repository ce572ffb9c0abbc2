// The log's files, as the few things it asks of them; where they are and what a crash leaves of them is an edge's to know.

export interface FileBytes {
  /** Below the log's own directory. */
  readonly path: string;
  readonly bytes: Buffer;
}

export interface AuditFiles {
  /** Rejects with ENOENT where there is none. */
  read(path: string): Promise<Buffer>;
  /** All of them on disk when it resolves, names too. None of them is named by a checkpoint yet. */
  write(files: readonly FileBytes[]): Promise<void>;
  /** The file is the old one or the new one, whatever happens; the new one for good when it resolves. */
  replace(path: string, bytes: Buffer): Promise<void>;
  /** Removes files, one after the other; those that are not there too. */
  remove(paths: Iterable<string>): Promise<void>;
  /** Removes partial files other than `kept`. Never rejects: what stays does no harm. */
  tidy(kept: readonly string[]): Promise<void>;
}
