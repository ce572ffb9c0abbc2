// CB-18: slow is the time to the first token of a stream, not to its head, not to what a provider says before it speaks, and
// not to its end.

import { expect, it } from 'vitest';
import { silentLog } from '../../kit/log.ts';
import { createTurn } from '../../kit/turn.ts';
import type { Answer, Answered, AnswerSink } from '../../sidecar/call.ts';
import { anthropic } from '../../sidecar/dialects/anthropic.ts';
import type { JsonObject } from '../../sidecar/dialects/dialect.ts';
import { meter } from '../../sidecar/stages/meter.ts';
import { openTrail } from '../../sidecar/trail.ts';
import { manualClock } from '../support/manual-clock.ts';

const BODY: JsonObject = {
  model: 'claude-haiku-4-5',
  max_tokens: 100,
  messages: [{ role: 'user', content: 'hi' }],
};
const event = (type: string, more: object): Buffer =>
  Buffer.from(`event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`);
const START = event('message_start', {
  message: { id: 'm', model: 'claude-haiku-4-5', usage: { input_tokens: 5, output_tokens: 1 } },
});
const PING = event('ping', {});
const OPEN = event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } });
const HELLO = event('content_block_delta', { index: 0, delta: { type: 'text_delta', text: 'Hello' } });
const LAST = event('message_delta', { delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 2 } });
const STOP = event('message_stop', {});

function stream(rules: { firstTokenMs: number; rate: number } | null, streamed = true) {
  const clock = manualClock();
  const turn = createTurn(silentLog);
  const outcomes: string[] = [];
  const head = { method: 'POST', path: '/v1/messages', query: '', headers: {} };
  const endpoint = anthropic.recognise(head)!;
  const body = { ...BODY, stream: streamed };
  let sink: AnswerSink | undefined;
  const answer = {
    status: 200,
    headers: ['content-type', 'text/event-stream'],
    header: (name: string) => (name === 'content-type' ? 'text/event-stream' : undefined),
    listen: (to: AnswerSink) => {
      sink = to;
    },
    pause: () => undefined,
    resume: () => undefined,
    abort: () => undefined,
  } as Answer;
  const call = {
    id: 'c1',
    startedMonotonicMs: 0,
    startedAtMs: 0,
    method: 'POST',
    to: { kind: 'upstream', name: 'anthropic' },
    path: '/v1/messages',
    request: { headers: {} },
    response: { writeHead: () => undefined, write: () => true, on: () => undefined, end: () => undefined },
    policy: { config: { fleet: 'f', breakers: { slow: rules } }, digest: 'd', prices: {} },
    agent: { name: 'scout', mode: 'enforce', entry: {} },
    judgement: { verdict: 'allow', rule: null, target: 'anthropic/claude-haiku-4-5' },
    upstream: { name: 'anthropic', speaks: 'anthropic', url: 'https://api.anthropic.example' },
    dialect: anthropic,
    head,
    endpoint,
    description: anthropic.describe(endpoint, head, body, Buffer.from(JSON.stringify(body))),
    price: null,
    hold: null,
    outbound: { secret: null, dropUsageChunk: false },
    permit: { report: (outcome: string) => outcomes.push(outcome) },
    answer,
  } as unknown as Answered;
  const trail = openTrail(call, {
    book: { decide: async () => undefined, end: () => undefined },
    deadLetters: { noteOf: () => null },
    underWay: new Set(),
    clock,
    turn,
    log: silentLog,
    ended: () => undefined,
    throttled: () => undefined,
  } as unknown as Parameters<typeof openTrail>[1]);
  return {
    at(seconds: number, bytes: Buffer) {
      clock.advance(seconds * 1000 - clock.monotonicMs());
      if (!sink) meter(call, {} as Parameters<typeof meter>[1], trail);
      sink!.data(bytes);
    },
    end() {
      sink!.end();
      turn.finish();
      return outcomes;
    },
    hangUp(seconds: number) {
      clock.advance(seconds * 1000 - clock.monotonicMs());
      trail.hangUp();
      turn.finish();
      return outcomes;
    },
  };
}

const THIRTY = { firstTokenMs: 30_000, rate: 0.5 };

it('a first token after two seconds and a stream of an hour are healthy', () => {
  const { at, end } = stream(THIRTY);
  at(1, START);
  at(2, Buffer.concat([OPEN, HELLO]));
  for (let minute = 1; minute < 60; minute++) at(minute * 60, HELLO);
  at(3600, Buffer.concat([LAST, STOP]));
  expect(end()).toEqual(['success']);
});

it('a head and a ping in time do not stand for the first token', () => {
  const { at, end } = stream(THIRTY);
  at(1, START);
  at(10, PING);
  at(20, OPEN);
  at(31, HELLO);
  at(32, Buffer.concat([LAST, STOP]));
  expect(end()).toEqual(['slow']);
});

it('a caller that gave up waiting has seen a slow call, one that left sooner nothing', () => {
  const late = stream(THIRTY);
  late.at(1, START);
  expect(late.hangUp(40)).toEqual(['slow']);
  const early = stream(THIRTY);
  early.at(1, START);
  expect(early.hangUp(20)).toEqual(['ignored']);
});

it('without a rule nothing is slow, and what is not streamed never is', () => {
  for (const { at, end } of [stream(null), stream(THIRTY, false)]) {
    at(1, START);
    at(100, Buffer.concat([OPEN, HELLO, LAST, STOP]));
    expect(end()).toEqual(['success']);
  }
});
