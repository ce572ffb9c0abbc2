// `outrider sql`: one question to the store's read-only door, its answer printed as it comes.

import { parseArgs } from 'node:util';
import { EXIT, type Io, UsageError } from './command.ts';

const DEFAULT_URL = 'http://127.0.0.1:8123';

export const help = `outrider sql: ask the store a question

Usage: outrider sql [--format FORMAT] [--json] [--url URL] "SELECT …"

  --format FORMAT   any ClickHouse output format (default PrettyCompact)
  --json            the same as --format JSON
  --url URL         the SQL door (else OUTRIDER_SQL, else ${DEFAULT_URL})

Example: outrider sql "SELECT agent_id, sum(cost_usd) FROM actions GROUP BY agent_id ORDER BY 2 DESC"
`;

export async function run(args: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      format: { type: 'string', default: 'PrettyCompact' },
      json: { type: 'boolean', default: false },
      url: { type: 'string' },
    },
  });
  const [statement] = positionals;
  if (statement === undefined || positionals.length > 1)
    throw new UsageError('Give one statement, in quotes: outrider sql "SELECT 1".');
  const door = doorUrl(values.url ?? io.env.OUTRIDER_SQL ?? DEFAULT_URL);
  door.searchParams.set('default_format', values.json ? 'JSON' : values.format);

  const response = await ask(door, statement);
  if (!response.ok) {
    io.stderr(`${sentence(await response.text())}\n`);
    return EXIT.failed;
  }
  await print(response, io);
  return EXIT.done;
}

function doorUrl(text: string): URL {
  if (!URL.canParse(text)) throw new UsageError(`${text} is not a URL; write it like ${DEFAULT_URL}.`);
  return new URL(text);
}

async function ask(door: URL, statement: string): Promise<Response> {
  try {
    return await fetch(door, { method: 'POST', body: statement });
  } catch (failure) {
    throw new Error(
      `No SQL door answers at ${door.origin}; start the collector, or name its door with --url or OUTRIDER_SQL.`,
      { cause: failure },
    );
  }
}

async function print(response: Response, io: Io): Promise<void> {
  const text = new TextDecoder();
  try {
    for await (const chunk of response.body ?? []) io.stdout(text.decode(chunk, { stream: true }));
  } catch (failure) {
    throw new Error('The answer broke off before its end; the store could not go on with it.', {
      cause: failure,
    });
  }
  io.stdout(text.decode());
}

/** ClickHouse's number and wording stay; its version and the stack of prefixes go. */
const sentence = (text: string) => text.trim().replace(/ \(version [\d.]+\)$/, '');
