// A form's parts (multipart/form-data, RFC 7578), read so strictly that no two readers could see other parts: nothing
// before the first boundary or after the last, no part twice, no header but the two that browsers and SDKs write, and
// the boundary's text nowhere but at a boundary.

import { Refusal } from '../../contract/refusals.ts';

export interface Part {
  readonly name: string;
  /** Null for a plain field. */
  readonly filename: string | null;
  readonly body: Buffer;
}

const PARTS_MAX = 32;
/** RFC 2046 § 5.1.1, without what would need quotes in a header. */
const CONTENT_TYPE = /^multipart\/form-data\s*;\s*boundary=(?:"([\w'()+,./:=?-]{1,70})"|([\w'+.-]{1,70}))$/i;
const DISPOSITION = /^form-data; name="([^"\\\r\n]{1,256})"(?:; filename="([^"\\\r\n]{0,1024})")?$/i;
const CRLF = Buffer.from('\r\n');
const HEAD_END = Buffer.from('\r\n\r\n');
const HEAD_BYTES_MAX = 4_096;

/** Throws Refusal `bad_request` with the reason `malformed_form`. */
export function readMultipart(contentType: string, bytes: Buffer): Part[] {
  const match = CONTENT_TYPE.exec(contentType);
  const boundary = match?.[1] ?? match?.[2];
  if (boundary === undefined) throw malformed('The content-type must be multipart/form-data with a boundary');
  const parts = between(bytes, Buffer.from(`--${boundary}`)).map(readPart);
  const twice = parts.find((part, index) => parts.findIndex(({ name }) => name === part.name) !== index);
  if (twice) throw malformed('A form must not hold a part of the same name twice');
  return parts;
}

/** What stands between the boundaries, each of which must begin a line and end one. */
function between(bytes: Buffer, delimiter: Buffer): Buffer[] {
  const found: Buffer[] = [];
  if (bytes.indexOf(delimiter) !== 0) throw malformed('A form must begin with its boundary');
  let at = 0;
  for (;;) {
    const start = at + delimiter.length;
    if (bytes.subarray(start, start + 2).toString('latin1') === '--') {
      const rest = bytes.subarray(start + 2);
      if (rest.length > 0 && !rest.equals(CRLF)) throw malformed('A form must end with its boundary');
      return found;
    }
    if (!bytes.subarray(start, start + 2).equals(CRLF))
      throw malformed('A boundary must stand alone on its line');
    at = bytes.indexOf(delimiter, start);
    if (at < 0) throw malformed('A form must end with its boundary');
    if (!bytes.subarray(at - 2, at).equals(CRLF)) throw malformed('A boundary must begin a line');
    if (found.length === PARTS_MAX) throw malformed(`A form must hold at most ${PARTS_MAX} parts`);
    found.push(bytes.subarray(start + 2, Math.max(start + 2, at - 2)));
  }
}

function readPart(bytes: Buffer): Part {
  const end = bytes.subarray(0, HEAD_BYTES_MAX).indexOf(HEAD_END);
  if (end < 0) throw malformed('A part of a form must have a head');
  let disposition: RegExpExecArray | null = null;
  const seen = new Set<string>();
  for (const line of bytes.toString('utf8', 0, end).split('\r\n')) {
    const [, name = '', value = ''] = /^([a-z-]+): ?(.*)$/is.exec(line) ?? [];
    const header = name.toLowerCase();
    if (seen.has(header)) throw malformed('A part of a form must not have the same header twice');
    seen.add(header);
    if (header === 'content-disposition') disposition = DISPOSITION.exec(value);
    else if (header !== 'content-type') throw malformed('A part of a form may only say its name and type');
  }
  if (!disposition) throw malformed('A part of a form must be named');
  return {
    name: disposition[1]!,
    filename: disposition[2] ?? null,
    body: bytes.subarray(end + HEAD_END.length),
  };
}

function malformed(sentence: string): Refusal {
  return new Refusal('bad_request', `${sentence}.`, { reason: 'malformed_form' });
}
