// A command's way to the collector's read-only SQL door, or to the ClickHouse server that holds the tables instead: which
// one, and what to say when nobody or a no answers.

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
  const { url, headers } = addressOf(door);
  url.searchParams.set('default_format', format);
  for (const [name, value] of Object.entries(parameters))
    url.searchParams.set(`param_${name}`, escaped(value));
  try {
    return await fetch(url, { method: 'POST', body: statement, headers });
  } catch (failure) {
    throw new Error(
      `No SQL door answers at ${door.origin}; start the collector, or name its door, or its ClickHouse server, with --url or OUTRIDER_SQL.`,
      { cause: failure },
    );
  }
}

/** As `store.clickhouse` is written: a user and a password, which a header carries, and the database as the path. */
function addressOf(door: URL): { readonly url: URL; readonly headers: Readonly<Record<string, string>> } {
  const url = new URL(door.origin);
  const database = decodeURIComponent(door.pathname.replaceAll('/', ''));
  if (database !== '') url.searchParams.set('database', database);
  for (const [name, value] of door.searchParams) url.searchParams.set(name, value);
  if (door.username === '') return { url, headers: {} };
  const pair = `${decodeURIComponent(door.username)}:${decodeURIComponent(door.password)}`;
  return { url, headers: { authorization: `Basic ${Buffer.from(pair).toString('base64')}` } };
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
