// Two real collectors: what one stores, the other gets as well. With the other's join token the copies count there as
// records of calls; without it they would be context, as anyone's spans are.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  rows,
  type Started,
  startOutrider,
  temporaryDirectory,
  until,
  writeConfig,
} from '../support/processes.ts';
import { type Fleet, SAMPLE, startFleet } from './fleet.ts';

let other: Started;
let fleet: Fleet;
beforeAll(async () => {
  const directory = temporaryDirectory('other');
  const data = join(directory, 'data');
  const config = writeConfig(directory, SAMPLE.replaceAll('{provider}', 'http://127.0.0.1:1'));
  other = await startOutrider(['collector', '--config', config, '--data', data], {
    ready: 1,
    env: { OUTRIDER_TOKEN: '' },
  });
  const key = join(directory, 'key');
  writeFileSync(key, `Bearer ${readFileSync(join(data, 'token'), 'utf8').trim()}`);
  const target = `{ otlp: "${other.listen.collector!.otlp}/v1/traces", headers: { authorization: file:${key} }, bodies: none }`;
  fleet = await startFleet(`${SAMPLE}export: [${target}]\n`);
});
afterAll(async () => {
  await fleet?.stop();
  await other?.kill('SIGKILL');
});

const COLUMNS =
  'call_id, agent_id, target, status, refusal, tokens_in, tokens_out, cost_usd, audit_stream, audit_seq, audit_hash';

it('the other backend has the same records', async () => {
  for (const model of ['gpt-5-mini', 'gpt-5-mini', 'gpt-5-pro', 'o1']) {
    await fetch(`${fleet.proxy}/openai/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model, messages: [{ role: 'user', content: 'Say hello.' }] }),
    }).then((answer) => answer.arrayBuffer());
  }
  const ask = `SELECT ${COLUMNS} FROM actions ORDER BY audit_seq`;
  const here = await until(
    () => fleet.query(ask),
    (found) => found.length === 4,
  );
  const there = await until(
    () => rows(other.listen.collector!.sql!, ask),
    (found) => found.length === 4,
  );
  expect(there).toEqual(here);
});
