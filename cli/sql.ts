// `outrider sql`: one question to the store's read-only door, its answer printed as it comes.

import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { EXIT, type Io, UsageError } from './command.ts';
import { askSql, sentenceOfDoor, sqlDoor } from './sql-door.ts';

export const help = `outrider sql: ask the store a question

Usage: outrider sql [--format FORMAT] [--json] [--param NAME=VALUE]… [--url URL] "SELECT …" | --file FILE

  --file FILE         the statement stands in a file
  --param NAME=VALUE  fills {NAME:Type} in the statement; may stand more than once
  --format FORMAT     any ClickHouse output format (default PrettyCompact)
  --json              the same as --format JSON
  --url URL           the SQL door (else OUTRIDER_SQL, else http://127.0.0.1:8123), or a ClickHouse server as in
                      store.clickhouse: best a user who may only read, in OUTRIDER_SQL

Example: outrider sql "SELECT agent_id, sum(cost_usd) FROM actions GROUP BY agent_id ORDER BY 2 DESC"
         outrider sql --param agent=scout "SELECT target, count() FROM actions WHERE agent_id = {agent:String} GROUP BY 1"
         outrider sql --param call=0af3… --file docs/sql/01-who-authorised-this-act.sql
Questions worth asking, ready to run: docs/sql/
`;

export async function run(args: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      format: { type: 'string', default: 'PrettyCompact' },
      json: { type: 'boolean', default: false },
      param: { type: 'string', multiple: true, default: [] },
      url: { type: 'string' },
      file: { type: 'string' },
    },
  });
  const statement = statementFrom(positionals, values.file);
  const parameters = Object.fromEntries(values.param.map(readParameter));
  const format = values.json ? 'JSON' : values.format;

  const response = await askSql(sqlDoor(values.url, io), statement, parameters, format);
  if (!response.ok) {
    io.stderr(`${withHint(sentenceOfDoor(await response.text()))}\n`);
    return EXIT.failed;
  }
  await print(response, io);
  return EXIT.done;
}

function statementFrom(positionals: readonly string[], file: string | undefined): string {
  const [statement, ...rest] = positionals;
  if (rest.length > 0 || (statement === undefined) === (file === undefined))
    throw new UsageError('Give one statement, in quotes: outrider sql "SELECT 1"; or its --file.');
  return statement ?? readStatement(file!);
}

function readStatement(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (failure) {
    throw new Error(`${file} cannot be read: name a file that holds a statement.`, { cause: failure });
  }
}

/** The door knows what is missing, not by which flag it is given. */
function withHint(sentence: string): string {
  const [, name] = /Substitution `(\w+)` is not set/.exec(sentence) ?? [];
  return name === undefined ? sentence : `${sentence} Give it with --param ${name}=VALUE.`;
}

function readParameter(text: string): [name: string, value: string] {
  const [, name, value] = /^(\w+)=([\s\S]*)$/.exec(text) ?? [];
  if (name === undefined || value === undefined)
    throw new UsageError(`--param ${text}: write it like --param agent=scout.`);
  return [name, value];
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
