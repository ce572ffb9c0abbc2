// Output formats: how each is announced.

export const DEFAULT_FORMAT = 'TabSeparated';

export function contentType(format: string): string {
  if (/^JSON(?!.*EachRow|Lines)/.test(format)) return 'application/json; charset=UTF-8';
  if (/^(JSON.*EachRow|JSONLines|NDJSON)/.test(format)) return 'application/x-ndjson; charset=UTF-8';
  if (/^CSV/.test(format)) return 'text/csv; charset=UTF-8; header=absent';
  if (/^(TabSeparated|TSV)/.test(format)) return 'text/tab-separated-values; charset=UTF-8';
  if (/^(Native|RowBinary|Parquet|Arrow|ORC|Avro|MsgPack|Protobuf|Npy|BSON|RawBLOB)/.test(format))
    return 'application/octet-stream';
  if (format === 'XML') return 'application/xml; charset=UTF-8';
  return 'text/plain; charset=UTF-8';
}
