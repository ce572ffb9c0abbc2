// The tools agents use to fetch things, under `outrider run` and knowing nothing of it: what a rule allows comes through,
// with each request judged inside its TLS; what none allows fails with a sentence.

import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Ended, runOutrider, temporaryDirectory, writeConfig } from '../support/processes.ts';
import { type HttpsOrigin, startHttpsOrigin } from './https-origin.ts';

const PROGRAM = new URL('programs/fetching.ts', import.meta.url).pathname;
const TOOLS = ['curl', 'git', 'pip', 'urllib', 'requests', 'fetch'];

interface Said {
  readonly tool: string;
  readonly part: string;
  readonly status: number;
  readonly said: string;
}

let origin: HttpsOrigin;
let run: (...command: string[]) => Promise<Ended>;

beforeAll(async () => {
  origin = await startHttpsOrigin();
  const directory = temporaryDirectory('tools');
  const config = writeConfig(
    directory,
    `fleet: test
mode: enforce
budgets: none
upstreams: { site: { url: "${origin.url}", speaks: http } }
roles: { reader: { allow: ["http GET ${origin.url}/open/**", "http GET http://**:9/**"] } }
agents: { scout: { role: reader } }
listen: { proxy: 127.0.0.1:0, admin: 127.0.0.1:0, otlp: 127.0.0.1:0, control: 127.0.0.1:0, sql: 127.0.0.1:0 }
`,
  );
  run = (...command) =>
    runOutrider(
      ['run', '--agent', 'scout', '--config', config, '--data', join(directory, 'data'), '--', ...command],
      { env: { ORIGIN: origin.url, NODE_EXTRA_CA_CERTS: origin.authority, OUTRIDER_TOKEN: '' } },
    );
});
afterAll(() => origin.close());

describe('under outrider run', () => {
  let said: readonly Said[];
  beforeAll(async () => {
    const { code, stdout, stderr } = await run(process.execPath, PROGRAM);
    expect(code, stderr).toBe(0);
    said = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Said);
  });
  const of = (tool: string, part: string): Said =>
    said.find((line) => line.tool === tool && line.part === part)!;

  it.each(TOOLS)('%s gets what is allowed', (tool) => {
    expect(of(tool, 'open')).toMatchObject({ status: 0 });
    if (!['git', 'pip'].includes(tool)) expect(of(tool, 'open').said.trim()).toBe('a page');
  });

  it.each(TOOLS)('%s fails at what is not, and says 403', (tool) => {
    const { status, said } = of(tool, 'closed');
    expect(status).not.toBe(0);
    expect(said).toMatch(/403|out_of_scope/);
  });

  it('nothing of what was refused reached the site', () => {
    expect(origin.requests.some((line) => line.startsWith('GET /open/'))).toBe(true);
    expect(origin.requests.filter((line) => !line.startsWith('GET /open/'))).toEqual([]);
  });

  it('an address that only a pattern reaches must be public', () => {
    const { status, said } = of('curl', 'loopback');
    expect(status).not.toBe(0);
    expect(JSON.parse(said)).toMatchObject({
      error: { code: 'destination_forbidden', reason: 'addr_loopback' },
    });
  });
});
