// Where a directory that checkpoints are told to has them: a folder for each log, so that several fleets, and the logs of
// one, may share it.

/** The last part of a log's origin: `outrider/<fleet>/<log>`. */
export const logName = (origin: string): string => origin.slice(origin.lastIndexOf('/') + 1);

export function anchoredPath(checkpoint: { readonly origin: string; readonly size: number }): {
  readonly folder: string;
  readonly file: string;
} {
  return { folder: logName(checkpoint.origin), file: `checkpoint-${checkpoint.size}` };
}
