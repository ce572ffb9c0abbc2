// Claude Code as installed from npm, pointed at the sidecar as its documentation says. Too big for every run: a native
// binary of 245 MB. `npm run clients` runs this; docs/clients.md quotes what it reads.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clientVariables, startSetting } from '../clients/setting.ts';
import type { Fleet } from '../end-to-end/fleet.ts';
import { runProgram, temporaryDirectory } from '../support/processes.ts';

const VERSION = '2.1.197';
const INSTALL_MS = 300_000;
const FOLDER = join(tmpdir(), `outrider-claude-code-${VERSION}`);
const CLI = join(FOLDER, 'node_modules/@anthropic-ai/claude-code-linux-x64/claude');

let fleet: Fleet;
let elsewhere: Elsewhere;

beforeAll(async () => {
  if (!existsSync(CLI)) {
    mkdirSync(FOLDER, { recursive: true });
    execFileSync('npm', ['install', '--prefix', FOLDER, `@anthropic-ai/claude-code@${VERSION}`]);
  }
  fleet = await startSetting({
    toolCalls: [{ name: 'Bash', arguments: '{"command":"echo It is sunny","description":"Ask"}' }],
  });
  elsewhere = await startElsewhere();
}, INSTALL_MS);
afterAll(async () => {
  elsewhere?.server.close();
  await fleet?.stop();
});

interface Elsewhere {
  readonly server: Server;
  readonly asked: string[];
  readonly url: string;
}

/** A forward proxy that refuses everyone and writes down whom they wanted. */
async function startElsewhere(): Promise<Elsewhere> {
  const asked: string[] = [];
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.once('data', (head) => {
      asked.push(String(head).split('\r\n', 1)[0]!);
      socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address() as { port: number };
  return { server, asked, url: `http://127.0.0.1:${address.port}` };
}

const claude = (...args: string[]) => {
  const home = temporaryDirectory('claude');
  return runProgram(
    CLI,
    args,
    {
      PATH: process.env.PATH,
      HOME: home,
      ...clientVariables(fleet),
      HTTPS_PROXY: elsewhere.url,
      HTTP_PROXY: elsewhere.url,
      NO_PROXY: '127.0.0.1',
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    },
    home,
  );
};

describe('Claude Code', () => {
  it('answers, by a stream, and its session is the task', async () => {
    const { code, stdout } = await claude('-p', 'Say hello.', '--model', 'claude-haiku-4-5');
    expect(code).toBe(0);
    expect(stdout.trim()).toBe('This is a practice answer. No model was asked and nothing was billed.');
    const { headers, body } = fleet.provider.requests.find(({ path }) => path.endsWith('/v1/messages'))!;
    expect(JSON.parse(String(body))).toMatchObject({ stream: true });
    const session = String(headers['x-claude-code-session-id']);
    await expect
      .poll(() => fleet.query(`SELECT status FROM actions WHERE task_id = '${session}'`), { timeout: 10_000 })
      .toEqual([{ status: 'success' }]);
  });

  it('runs the tool that the model asks for, and reports what came of it', async () => {
    const args = ['--model', 'claude-haiku-4-5', '--allowedTools', 'Bash(echo:*)'];
    const { code } = await claude('-p', 'What is the weather in Paris?', ...args);
    expect(code).toBe(0);
    expect(String(fleet.provider.requests.at(-1)!.body)).toContain('It is sunny');
  });

  it.each([
    ['claude-opus-4-8', 'API Error: 400 anthropic/claude-opus-4-8 was refused: no rule allows it.'],
    [
      'claude-sonnet-4-5',
      'API Error: 400 anthropic/claude-sonnet-4-5 was refused: the rule "llm anthropic/claude-sonnet-4-5" says ask.',
    ],
    ['dollars', 'API Error: 402 The budget of agent scout is $100.00 per month:'],
  ])('shows a refusal of %s in its own words and ends', async (model, sentence) => {
    const { code, stdout } = await claude('-p', 'Say hello.', '--model', model);
    expect(code).toBe(1);
    expect(stdout).toContain(sentence);
  });

  it('asks nobody else', () => {
    expect(elsewhere.asked).toEqual([]);
  });
});
