// What an agent sent as its own key goes to the upstream it asked, and not to whoever serves in its place.

import { expect, test } from 'vitest';
import { attemptOf, type LaterAttempt } from '../../../sidecar/attempts/attempt.ts';
import { fallbackTo } from '../../../sidecar/attempts/fallback.ts';
import { type Admitted, learn } from '../../../sidecar/call.ts';
import { judgementOf } from '../../../sidecar/stages/authorize.ts';
import { inject } from '../../../sidecar/stages/inject.ts';
import { callOf, configOf, DIALECTS, now } from './calls.ts';

const YAML = `budgets: none
mode: enforce
upstreams:
  theirs: { url: https://a.example, speaks: gemini, credential: agent }
  open: { url: https://b.example, speaks: gemini }
roles: { r: { allow: [llm theirs/*, llm open/*] } }
agents: { scout: { role: r } }
`;
const IDENTITY = { id: 'second', spanId: 'c'.repeat(16), startedAtMs: 0, startedMonotonicMs: 0 };
const LATER = { number: 2, asked: '', rest: [], origins: [], patience: 1, bridge: null, headers: {} };
const BODY = { contents: [{ parts: [{ text: 'hi' }] }] };
const PATH = '/v1beta/models/gemini-2.5-pro:generateContent';
const SERVED = '/v1beta/models/gemini-2.5-flash:generateContent';

test.each([
  ['theirs/gemini-2.5-flash', '?a=1&key=own-key'],
  ['open/gemini-2.5-flash', '?a=1'],
])('a fallback to %s is sent with %s', async (target, query) => {
  const first = callOf(await configOf(YAML), {
    upstream: 'theirs',
    path: PATH,
    body: BODY,
    headers: { 'x-goog-api-key': 'own-key' },
  });
  learn(first, { head: { ...first.head, query: '?a=1&key=own-key' } });
  const fallback = fallbackTo(target, first, {
    dialects: DIALECTS,
    judge: (call) => judgementOf(call, { now }),
  });
  const later: LaterAttempt = { ...LATER, first };
  const call = attemptOf(first, later, IDENTITY, fallback!.altered) as Admitted;
  const { outbound } = await inject(call, { read: () => 'none' });
  expect(outbound.path).toBe(SERVED + query);
});
