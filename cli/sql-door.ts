// A command's way to the collector's read-only SQL door: which one, and what to say when nobody or a no answers.

import { type Io, UsageError } from './command.ts';

const DEFAULT_URL = 'http://127.0.0.1:8123';

/** The flag, else OUTRIDER_SQL, else the default port. Throws UsageError for what is no URL. */
export function sqlDoor(flag: string | undefined, { env }: Io): URL {
  const text = flag ?? (env.OUTRIDER_SQL || DEFAULT_URL);
  if (!URL.canParse(text)) throw new UsageError(`${text} is not a URL; write it like ${DEFAULT_URL}.`);
  return new URL(text);
}

/** `parameters` fill `{name:Type}` in the statement, as plain text. The answer may be the door's refusal. */
export async function askSql(
  door: URL,
  statement: string,
  parameters: Readonly<Record<string, string>>,
  format: string,
): Promise<Response> {
  const url = new URL(door);
  url.searchParams.set('default_format', format);
  for (const [name, value] of Object.entries(parameters))
    url.searchParams.set(`param_${name}`, escaped(value));
  try {
    return await fetch(url, { method: 'POST', body: statement });
  } catch (failure) {
    throw new Error(
      `No SQL door answers at ${door.origin}; start the collector, or name its door with --url or OUTRIDER_SQL.`,
      { cause: failure },
    );
  }
}

/** All rows, as objects. Throws an Error with ClickHouse's sentence. 64-bit integers come as text or number. */
export async function sqlRows<Row>(
  door: URL,
  statement: string,
  parameters: Readonly<Record<string, string>> = {},
): Promise<Row[]> {
  const answer = await askSql(door, statement, parameters, 'JSONEachRow');
  const text = await answer.text();
  if (!answer.ok) throw new Error(sentenceOfDoor(text));
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Row);
}

/** ClickHouse's number and wording stay; its version and the stack of prefixes go. */
export const sentenceOfDoor = (text: string) =>
  text
    .trim()
    .replaceAll(/\.? \(version [\d.]+\)/g, '')
    .replace(/( \([A-Z_]+\))(?:\.?\1)+$/, '$1');

/** ClickHouse reads parameters in the escapes of TabSeparated. */
const escaped = (value: string) =>
  value.replace(/[\\\t\n]/g, (one) => (one === '\\' ? '\\\\' : one === '\t' ? '\\t' : '\\n'));
