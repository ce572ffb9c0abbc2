// `node clickhouse-double-process.ts DIRECTORY [CLUSTER]`: chDB behind ClickHouse's HTTP interface, as far as a store on a
// server uses it. It knows databases, users' settings by name, and INSERTs whose rows stand in the body; what chDB cannot do
// is done in its stead, and nothing else is changed:
//
//   FROM input('…') … FORMAT Protobuf \n bytes     the bytes go to a file, and it reads FROM file('…', 'Protobuf', '…')
//   INSERT … FORMAT Native \n bytes               likewise: INSERT … SELECT * FROM file('…', 'Native')
//   ON CLUSTER, Replicated*MergeTree               there is one server and no Keeper: left out, plain engines
//   SYSTEM SYNC REPLICA                            nobody to wait for
//
// With CLUSTER there is a cluster of that name, of one shard, which is this engine. The cluster `pair` has a second one,
// which is nowhere: what is asked of it can be planned and not run.

import { randomUUID } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Session } from 'chdb';
import { substitute } from '../../collector/store/embedded/parameters.ts';

const [directory, cluster = ''] = process.argv.slice(2);
if (directory === undefined) throw new Error('Say where: node clickhouse-double-process.ts DIRECTORY');
mkdirSync(directory, { recursive: true });
process.chdir(directory); // the engine keeps protobuf schemas where it stands

/** Of the server itself: nobody listens there, for a shard that is this engine is not dialled. */
const TCP_PORT = 9000;
const config = join(directory, 'config.xml');
writeFileSync(
  config,
  `<clickhouse><tcp_port>${TCP_PORT}</tcp_port><remote_servers><${cluster || 'none'}><shard>
<internal_replication>true</internal_replication>
<replica><host>127.0.0.1</host><port>${TCP_PORT}</port></replica></shard></${cluster || 'none'}>
<pair><shard><replica><host>127.0.0.1</host><port>${TCP_PORT}</port></replica></shard>
<shard><replica><host>127.0.0.2</host><port>1</port></replica></shard></pair></remote_servers></clickhouse>`,
);
const connectionArgs = ['--async_load_databases=0', '--max_threads=2', `--config-file=${config}`];
const data = join(directory, 'clickhouse');
const first = new Session(data, { connectionArgs });
const settings = new Set(first.query('SELECT name FROM system.settings', 'TSV').trim().split('\n'));

class Failure extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** Keys of the URL that are no settings. */
const OURS = new Set(['query', 'database', 'default_format', 'query_id', 'session_id', 'role']);
const INSERT = /^(\s*INSERT INTO [\s\S]*?)\nFORMAT (Protobuf|Native)\n/;
const INPUT = /\binput\(('(?:[^'\\]|\\.)*')\)/;

async function answer(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  const { searchParams } = new URL(request.url ?? '/', 'http://double');
  const session = new Session(data, { connectionArgs });
  try {
    await begin(session, searchParams);
    const inserted = INSERT.exec(body.toString('latin1'));
    if (inserted) {
      const [head, statement, format] = inserted as unknown as [string, string, string];
      return await insert(session, statement, format, body.subarray(head.length));
    }
    const parameters = [...searchParams].filter(([key]) => key.startsWith('param_'));
    const named = new Map(parameters.map(([key, value]) => [key.slice('param_'.length), value]));
    const text = `${searchParams.get('query') ?? ''}\n${body.toString('utf8')}`.trim();
    return await run(
      session,
      plain(substitute(text, named)),
      searchParams.get('default_format') ?? 'TabSeparated',
    );
  } finally {
    session.close();
  }
}

async function begin(session: Session, search: URLSearchParams): Promise<void> {
  const named = [...search].filter(([key]) => !OURS.has(key) && !key.startsWith('param_'));
  for (const [key] of named) if (!settings.has(key)) throw new Failure(115, `Unknown setting '${key}'`);
  if (named.length > 0)
    await run(session, `SET ${named.map(([key, value]) => `${key} = '${value}'`).join(', ')}`);
  await run(session, `USE ${search.get('database') ?? 'default'}`);
}

async function insert(session: Session, statement: string, format: string, bytes: Buffer): Promise<string> {
  await run(session, `EXPLAIN AST ${statement}\nFORMAT ${format}`);
  const path = join(directory!, randomUUID());
  writeFileSync(path, bytes);
  const read = (columns: string) => `file('${path}', 'Protobuf', ${columns})`;
  try {
    return await run(
      session,
      format === 'Native'
        ? statement.replace('\nSETTINGS ', `\nSELECT * FROM file('${path}', 'Native')\nSETTINGS `)
        : statement.replace(INPUT, (_all, columns: string) => read(columns)),
    );
  } finally {
    rmSync(path);
  }
}

const plain = (statement: string): string =>
  cluster === ''
    ? statement
    : statement
        .replace(/ ON CLUSTER '[^']*'/, '')
        .replace(/^SYSTEM SYNC REPLICA (\w+)$/, 'EXISTS TABLE $1')
        .replace(/\bReplicated(\w*MergeTree)\b/, '$1')
        .replace(
          /replicated_deduplication_window = \d+, replicated_deduplication_window_seconds = \d+/,
          'non_replicated_deduplication_window = 10000',
        );

async function run(session: Session, statement: string, format = 'TabSeparated'): Promise<string> {
  try {
    return Buffer.from((await session.queryAsync(statement, { format })).bytes()).toString('utf8');
  } catch (failure) {
    const message = failure instanceof Error ? failure.message : String(failure);
    throw new Failure(Number(/Code: (\d+)\./.exec(message)?.[1] ?? 1), message);
  }
}

function refuse(response: ServerResponse, failure: unknown): void {
  const code = failure instanceof Failure ? failure.code : 1;
  const text = failure instanceof Error ? failure.message : String(failure);
  response.writeHead(code === 115 || code === 60 ? 404 : 500, { 'x-clickhouse-exception-code': code });
  response.end(text.startsWith('Code: ') ? text : `Code: ${code}. DB::Exception: ${text}\n`);
}

const server = createServer((request, response) => {
  answer(request).then(
    (text) => response.end(text),
    (failure: unknown) => refuse(response, failure),
  );
});
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`);
});
process.stdin.resume().once('close', () => process.kill(process.pid, 'SIGKILL'));
