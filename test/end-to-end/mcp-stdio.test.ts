// Tool servers over stdin and stdout, started by the official client through `outrider mcp`: what it may use works as it
// would directly, what it may not is neither shown nor called, and every message has a record.

import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { CreateMessageRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryDirectory, until } from '../support/processes.ts';
import { type Fleet, startFleet } from './fleet.ts';

const CONFIG = `fleet: test
mode: enforce
upstreams:
  files: { url: stdio, speaks: mcp }
  all: { url: stdio, speaks: mcp }
roles:
  reader:
    allow:
      - mcp files/read_*
      - mcp files/list_*
      - mcp files/write_file when path_within(args.path, "{folder}/drafts")
      - mcp all/**
    deny: [mcp all/get-env]
agents:
  scout: { role: reader, budgets: [$10/month] }
credentials:
  real: { from: env:REAL_KEY }
prices:
  all: { call: $0.005 }
drain: 2s
listen: { proxy: 127.0.0.1:0, admin: 127.0.0.1:0, otlp: 127.0.0.1:0, control: 127.0.0.1:0, sql: 127.0.0.1:0 }
`;

const CLI = new URL('../../bin/outrider.js', import.meta.url).pathname;
const packageFile = (name: string): string => createRequire(import.meta.url).resolve(name);
const FILES = packageFile('@modelcontextprotocol/server-filesystem/dist/index.js');
const EVERYTHING = packageFile('@modelcontextprotocol/server-everything/dist/index.js');

let fleet: Fleet;
let folder: string;
beforeAll(async () => {
  folder = temporaryDirectory('files');
  mkdirSync(join(folder, 'drafts'));
  writeFileSync(join(folder, 'note.txt'), 'A note.');
  fleet = await startFleet(CONFIG.replaceAll('{folder}', folder));
});
afterAll(async () => {
  expect(await fleet.stop()).toBe(0);
});

function argumentsFor(upstream: string, command: readonly string[]): string[] {
  const where = ['--config', fleet.config, '--data', fleet.directory, '--collector', fleet.control];
  return [CLI, 'mcp', upstream, '--agent', 'scout', ...where, '--', ...command];
}

async function open(upstream: string, ...script: string[]): Promise<Client> {
  const client = new Client({ name: 'test', version: '1' }, { capabilities: { sampling: {} } });
  const args = argumentsFor(upstream, [process.execPath, ...script]);
  const env = { PATH: process.env.PATH ?? '', OUTRIDER_TASK: `task-${upstream}`, REAL_KEY: 'never' };
  const transport = new StdioClientTransport({ command: process.execPath, args, env, stderr: 'ignore' });
  await client.connect(transport as Transport);
  return client;
}

interface Row {
  readonly target: string;
  readonly status: string;
  readonly refusal: string;
  readonly action_type: string;
  readonly cost_usd: number | string | null;
}

const recorded = (task: string, count: number): Promise<Row[]> =>
  until(
    () => fleet.query<Row>(`SELECT * FROM actions WHERE task_id = '${task}' ORDER BY timestamp`),
    (rows) => rows.length >= count,
  );

const textOf = (result: unknown): string => JSON.stringify(result);

describe('a tool server that a client starts', () => {
  it('shows and does what the rules allow, and says why it does not do the rest', async () => {
    const client = await open('files', FILES, folder);
    const names = (await client.listTools()).tools.map(({ name }) => name);
    expect(names).toContain('read_text_file');
    expect(names).toContain('write_file');
    expect(names).not.toContain('move_file');
    const read = await client.callTool({
      name: 'read_text_file',
      arguments: { path: join(folder, 'note.txt') },
    });
    expect(textOf(read)).toContain('A note.');
    const refused = await client.callTool({
      name: 'write_file',
      arguments: { path: join(folder, 'x.txt'), content: 'x' },
    });
    expect(refused.isError).toBe(true);
    expect(textOf(refused.content)).toMatch(/out_of_scope.*allow rule/);
    const written = { path: join(folder, 'drafts', 'x.txt'), content: 'x' };
    expect(textOf(await client.callTool({ name: 'write_file', arguments: written }))).toContain('wrote');
    expect(readdirSync(folder).toSorted()).toEqual(['drafts', 'note.txt']);
    expect(readdirSync(join(folder, 'drafts'))).toEqual(['x.txt']);
    await client.close();
    const rows = await recorded('task-files', 6);
    const of = (target: string): Row[] => rows.filter((row) => row.target === target);
    expect(of('files/read_text_file')).toMatchObject([{ status: 'success', action_type: 'tool_use' }]);
    expect(of('files/write_file').map(({ status }) => status)).toEqual(['refused', 'success']);
    expect(of('files (initialize)')).toMatchObject([{ status: 'success', refusal: '' }]);
  });

  it('carries progress, what the server asks of its client, and ten megabytes', async () => {
    const client = await open('all', EVERYTHING, 'stdio');
    client.setRequestHandler(CreateMessageRequestSchema, ({ params }) => ({
      model: 'test',
      role: 'assistant',
      content: { type: 'text', text: `Asked with ${params.messages.length}.` },
    }));
    const steps: number[] = [];
    const long = { name: 'trigger-long-running-operation', arguments: { duration: 0.2, steps: 4 } };
    const onprogress = ({ progress }: { progress: number }): void => void steps.push(progress);
    expect(textOf(await client.callTool(long, undefined, { onprogress }))).toContain('completed');
    expect(steps.slice(0, 3)).toEqual([1, 2, 3]); // the client drops one that comes together with the result
    const sampled = { name: 'trigger-sampling-request', arguments: { prompt: 'hi', maxTokens: 10 } };
    expect(textOf(await client.callTool(sampled))).toContain('Asked with 1.');
    const message = 'x'.repeat(10_000_000);
    const echoed = await client.callTool({ name: 'echo', arguments: { message } });
    expect(textOf(echoed.content).length).toBeGreaterThan(message.length);
    const orders = Array.from({ length: 50 }, (_, at) => ({
      name: 'echo',
      arguments: { message: `n${at}` },
    }));
    const answers = await Promise.all(orders.map((order) => client.callTool(order)));
    expect(answers.map(textOf).every((answer, at) => answer.includes(`Echo: n${at}"`))).toBe(true);
    expect(textOf(await client.callTool({ name: 'get-env', arguments: {} }))).toContain('out_of_scope');
    await client.close();
    const rows = await recorded('task-all', 55);
    expect(rows.filter(({ target }) => target === 'all/echo')).toHaveLength(51);
    expect(rows.find(({ target }) => target === 'all/echo')).toMatchObject({ cost_usd: 0.005 });
  });

  it('is not to be had over HTTP', async () => {
    const answer = await fetch(`${fleet.proxy}/files`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"jsonrpc":"2.0","id":1,"method":"tools/list"}',
    });
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain('outrider mcp files -- COMMAND');
  });
});

/** A server of a few lines, and everything the command wrote once its client sent `input` and closed. */
async function ended(
  program: string,
  input: string,
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const args = argumentsFor('files', [process.execPath, '-e', program]);
  return runWith(args, input);
}

function runWith(
  args: readonly string[],
  input: string,
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, args, {
    env: { ...process.env, REAL_KEY: 'never', OUTRIDER_TOKEN: '' },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (text) => {
    stdout += String(text);
  });
  child.stderr.on('data', (text) => {
    stderr += String(text);
  });
  child.stdin.on('error', () => child.stdin.destroy());
  child.stdin.end(input);
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, stdout, stderr })));
}

const PING = '{"jsonrpc":"2.0","id":"a","method":"ping"}\n';
/** Answers every request with what it was asked, and whether it sees a credential. */
const ECHO = `require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method } = JSON.parse(line);
  const result = { method, key: process.env.REAL_KEY ?? 'none' };
  if (id !== undefined) console.log(JSON.stringify({ jsonrpc: '2.0', id, result }));
});`;

describe('the pipe', () => {
  it('holds one message a line and nothing else; what is none is answered with an error', async () => {
    const { code, stdout } = await ended(
      ECHO,
      `${PING}\nnonsense\n{"id":1}\n[]\n{"jsonrpc":"2.0","id":2,"method":"ping"}`,
    );
    expect(code).toBe(0);
    const messages = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { id: unknown; error?: { code: number } });
    expect(messages.map(({ id, error }) => [id, error?.code]).toSorted()).toEqual(
      [
        ['a', undefined],
        [null, -32600],
        [null, -32602],
        [null, -32700],
      ].toSorted(),
    );
  });

  it('keeps real credentials from the server', async () => {
    const { stdout } = await ended(ECHO, PING);
    expect(JSON.parse(stdout)).toMatchObject({ result: { key: 'none' } });
  });

  it('ends as the server does', async () => {
    expect((await ended('process.exit(7)', '')).code).toBe(7);
    const missing = await runWith(argumentsFor('files', ['/no/such/server']), '');
    expect(missing).toMatchObject({ code: 127, stdout: '' });
    expect(missing.stderr).toContain('/no/such/server could not be started: there is no such command.');
  });

  it('ends a server that stays when its client has gone', async () => {
    const stays =
      "process.on('SIGTERM', () => {}); setInterval(() => {}, 1e6); console.error('pid', process.pid)";
    const { code, stderr } = await ended(stays, PING);
    expect(code).toBe(0);
    const pid = Number(/pid (\d+)/.exec(stderr)?.[1]);
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });

  it('says what to change', async () => {
    const unknown = await runWith(argumentsFor('file', [process.execPath]), '');
    expect(unknown).toMatchObject({ code: 1, stdout: '' });
    expect(unknown.stderr).toContain('No upstream is called file (did you mean files?)');
    expect((await runWith([CLI, 'mcp', 'files', '--agent', 'scout'], '')).code).toBe(2);
  });
});
