// Messages on a pipe: one JSON text a line, ended by a line feed (MCP basic/transports, stdio). What follows the last line
// feed when the pipe closes is no message.

const LF = 10;
const CR = 13;

/** Each line without its end, or null for one longer than `bytesMax`, of which nothing is kept. */
export async function* linesOf(
  input: AsyncIterable<Buffer>,
  bytesMax: number,
): AsyncGenerator<Buffer | null> {
  let pieces: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of input) {
    let start = 0;
    for (let end = chunk.indexOf(LF); end !== -1; end = chunk.indexOf(LF, start)) {
      pieces.push(chunk.subarray(start, end));
      yield bytes + end - start > bytesMax ? null : withoutCr(Buffer.concat(pieces));
      pieces = [];
      bytes = 0;
      start = end + 1;
    }
    bytes += chunk.length - start;
    if (bytes > bytesMax) pieces = [];
    else if (start < chunk.length) pieces.push(chunk.subarray(start));
  }
}

const withoutCr = (line: Buffer): Buffer => (line.at(-1) === CR ? line.subarray(0, -1) : line);

/** A JSON text holds line feeds only between its values: as spaces they mean the same. */
export function asLine(json: Buffer): Buffer {
  const line = json.includes(LF) || json.includes(CR) ? Buffer.from(json) : json;
  if (line !== json)
    for (let at = 0; at < line.length; at++) if (line[at] === LF || line[at] === CR) line[at] = 0x20;
  return line;
}
