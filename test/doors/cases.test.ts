// What hostile clients write, at each door, as data: what the agent gets, and that the origin received nothing but what
// was allowed, byte for byte.

import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Setting, startSetting } from '../sdk/setting.ts';
import { converse, dial, insideOf, localAuthority, tunnelTo } from './wire.ts';

interface DoorCase {
  readonly id: string;
  /** `connect` writes to the port itself, `tunnel` behind a CONNECT to the plain origin, `inside` within TLS. */
  readonly at?: 'port' | 'tunnel' | 'inside';
  /** Latin-1; `{plain}`, `{tls}` and `{proxy}` stand for hosts with ports, `{many:TEXT*N}` for a text N times. */
  readonly send?: string;
  /** Nothing comes after it: our side of the connection ends. */
  readonly end?: boolean;
  readonly statuses: readonly number[];
  readonly reason?: string;
  /** What the origin received: `METHOD url body`. */
  readonly origin?: readonly string[];
  /** False where the connection may go on. */
  readonly closed?: boolean;
  /** Why the case is not met as it was written, in one sentence. */
  readonly instead?: string;
}

const CONFIG = `fleet: doors
mode: enforce
budgets: none
upstreams:
  api: { url: "{plain}", speaks: http }
  api-tls: { url: "{tls}", speaks: http }
roles:
  r:
    allow:
      - http POST {plain}/v1/chat/completions
      - http POST {tls}/v1/chat/completions
      - http GET {plain}/open/**
      - http GET {tls}/open/**
      - http DELETE {plain}/open/**
      - http GET https://*.example.com/**
      - http GET https://good.com/**
      - connect 127.0.0.1:1
agents: { scout: { role: r } }
timeouts: { connect: 1s, first_byte: 2s }
`;

let setting: Setting;
let authority: string;
beforeAll(async () => {
  setting = await startSetting(CONFIG);
  setting.double.answer(() => ({ body: {} }));
  authority = await localAuthority(setting);
});
afterAll(() => setting.stop());

const hostOf = (url: string): string => new URL(url).host;

function bytesOf(text: string): string {
  const { proxy, double } = setting;
  return text
    .replaceAll('{plain}', hostOf(double.plainUrl))
    .replaceAll('{tls}', hostOf(double.tlsUrl))
    .replaceAll('{proxy}', hostOf(proxy))
    .replace(/\{many:(.*?)\*(\d+)\}/gs, (_, what: string, times: string) => what.repeat(Number(times)));
}

function open(at: DoorCase['at']): Promise<Socket> {
  const { proxy, double } = setting;
  if (at === 'tunnel') return tunnelTo(proxy, hostOf(double.plainUrl));
  if (at === 'inside') return insideOf(proxy, hostOf(double.tlsUrl), { ca: authority });
  return dial(proxy);
}

const casesOf = (name: string): DoorCase[] =>
  readFileSync(new URL(`../cases/doors-${name}.jsonl`, import.meta.url), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as DoorCase)
    .filter(({ send }) => send !== undefined);

describe.each(['authority', 'framing', 'path'])('%s', (name) => {
  it.each(casesOf(name))('$id', async ({ at, send, end, statuses, reason, origin = [], closed = true }) => {
    const before = setting.double.received.length;
    const socket = await open(at);
    const talk = converse(socket, [bytesOf(send!)]);
    if (end) socket.end();
    const heard = await talk;
    expect(heard.statuses, heard.text).toEqual(statuses);
    if (reason !== undefined) expect(heard.text).toContain(`"reason":"${reason}"`);
    const received = setting.double.received.slice(before);
    expect(received.map(({ method, url, body }) => `${method} ${url} ${body}`.trim())).toEqual(origin);
    expect(heard.closed).toBe(closed);
  });
});

it('is alive after all of that', async () => {
  const head = `GET http://{plain}/open/last HTTP/1.1\r\nHost: {plain}\r\nConnection: close\r\n\r\n`;
  expect((await converse(await open('port'), [bytesOf(head)])).statuses).toEqual([200]);
});
