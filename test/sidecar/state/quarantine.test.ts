// What of a call is found in quarantine: who makes it, where it goes, what it asks for there, and what nobody could read.

import { describe, expect, test } from 'vitest';
import { type QuarantineLine, readSubject } from '../../../contract/quarantine.ts';
import type { Known } from '../../../sidecar/call.ts';
import { createQuarantine } from '../../../sidecar/state/quarantine.ts';
import { manualClock } from '../../support/manual-clock.ts';

const line = (subject: string, ms_left: number | null = null): QuarantineLine => ({
  subject,
  kind: readSubject(subject)?.kind ?? 'fleet',
  reason: 'why',
  since: '',
  until: null,
  ms_left,
  actor: 'ops',
  by: 'person',
});

const described = (more: object) => ({ model: null, acts: [], hostedTools: [], requests: [], ...more });
const CHAT = described({ model: 'gpt-5-mini', hostedTools: ['web_search'] });
const callOf = (more: object = {}): Known =>
  ({
    agent: { name: 'scout' },
    lineage: { task: 't/1' },
    upstream: { name: 'openai' },
    body: Buffer.alloc(1),
    description: CHAT,
    ...more,
  }) as unknown as Known;

const found = (subjects: readonly string[], call: Known): string | undefined => {
  const quarantine = createQuarantine(manualClock());
  quarantine.learn(subjects.map((subject) => line(subject)));
  return quarantine.of(call)?.subject;
};

const FILES = { upstream: { name: 'files' } };
const toolCall = (...names: string[]) =>
  callOf({
    ...FILES,
    description: described({ acts: names.map((name) => ({ method: 'tools/call', name })) }),
  });
const batch = described({
  requests: [{ description: CHAT }, { description: described({ model: 'gpt-5' }) }],
});

describe('a call is found by', () => {
  test.each([
    ['fleet', callOf()],
    ['agent/scout', callOf()],
    ['agent/sc*', callOf()],
    ['task/scout/t/1', callOf()],
    ['task/scout/*', callOf()],
    ['upstream/openai', callOf()],
    ['model/openai/gpt-5-mini', callOf()],
    ['model/openai/gpt-5*', callOf()],
    ['model/*/gpt-5-mini', callOf()],
    ['tool/openai/web_search', callOf()],
    ['model/openai/gpt-5', callOf({ description: batch })],
    ['tool/files/write_file', toolCall('read_file', 'write_file')],
    ['tool/files/write_*', toolCall('read_file', 'write_file')],
    ['agent/scout', callOf({ upstream: undefined, description: undefined, body: undefined })],
    ['model/openai/gpt-5', callOf({ description: undefined })],
    ['tool/openai/code_interpreter', callOf({ description: undefined })],
  ])('%s', (subject, call) => {
    expect(found(['agent/other', subject, 'upstream/other'], call)).toBe(subject);
  });
});

describe('a call goes on past', () => {
  test.each([
    ['agent/scout2', callOf()],
    ['agent/cout', callOf()],
    ['task/scout/t', callOf()],
    ['task/other/t/1', callOf()],
    ['upstream/open', callOf()],
    ['model/openai/gpt-5', callOf()],
    ['model/azure/gpt-5-mini', callOf()],
    ['tool/files/write_file', toolCall('read_file')],
    ['tool/openai/write_file', toolCall('write_file')],
    ['model/azure/gpt-5', callOf({ description: undefined })],
    ['model/openai/gpt-5', callOf({ description: undefined, body: undefined })],
    ['planet/mars', callOf()],
  ])('%s', (subject, call) => {
    expect(found([subject], call)).toBeUndefined();
  });
});

test('each entry ends by the clock of this process; the whole list is replaced', () => {
  const clock = manualClock();
  const quarantine = createQuarantine(clock);
  quarantine.learn([line('agent/scout', 1_000), line('upstream/openai', 2_000)]);
  expect(quarantine.of(callOf())?.subject).toBe('agent/scout');
  clock.advance(1_000);
  expect(quarantine.of(callOf())?.subject).toBe('upstream/openai');
  clock.advance(1_000);
  expect(quarantine.of(callOf())).toBeUndefined();
  quarantine.learn([line('agent/scout')]);
  clock.advance(1e12);
  expect(quarantine.of(callOf())?.subject).toBe('agent/scout');
  quarantine.learn([]);
  expect([quarantine.of(callOf()), quarantine.size]).toEqual([undefined, 0]);
});

test('what is over hides nothing that still holds', () => {
  const clock = manualClock();
  const quarantine = createQuarantine(clock);
  quarantine.learn([line('agent/scout', 1_000), line('agent/s*', 2_000), line('agent/*')]);
  const subjects = [0, 1_000, 1_000].map((ms) => {
    clock.advance(ms);
    return quarantine.of(callOf())?.subject;
  });
  expect(subjects).toEqual(['agent/scout', 'agent/s*', 'agent/*']);
});

test('another model than was asked for is looked up by its own name', () => {
  const quarantine = createQuarantine(manualClock());
  quarantine.learn([line('model/azure/gpt-5'), line('upstream/groq')]);
  expect(quarantine.ofModel('azure', 'gpt-5')?.subject).toBe('model/azure/gpt-5');
  expect(quarantine.ofModel('groq', 'llama')?.subject).toBe('upstream/groq');
  expect(quarantine.ofModel('azure', 'gpt-5-mini')).toBeUndefined();
});

test.each([
  '',
  'fleet/x',
  'agent',
  'agent/',
  'agent/a/b',
  'model/openai',
  'model/openai/',
  'tool//x',
  'task/a',
  'Agent/a',
])('no subject: %j', (text) => expect(readSubject(text)).toBeUndefined());
