// The accounting table: each dialect in each situation, sent through a real sidecar to a provider that answers byte for
// byte what the row holds. What a user then reads in `actions` is what the row says, to the nanodollar.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  rows as queryRows,
  type Started,
  startOutrider,
  temporaryDirectory,
  until,
  writeConfig,
} from '../support/processes.ts';
import { allRows } from './all-rows.ts';
import { type Double, SCENARIO_HEADER, startDouble } from './double.ts';
import type { AccountingRows, Scenario, Situation } from './scenario.ts';
import { accountingPage } from './table.ts';

interface Case {
  readonly name: string;
  readonly upstream: string;
  readonly scenario: Scenario;
}

/** The rule's upstream: `llm openai/m`. */
const upstreamOf = ({ allow }: AccountingRows): string => /^\S+ ([^/\s]+)\//.exec(allow[0]!)![1]!;

const all = await allRows();
const cases = all.flatMap(casesOf);

function casesOf(file: AccountingRows): Case[] {
  return (Object.entries(file.rows) as [Situation, AccountingRows['rows'][Situation]][]).flatMap(
    ([situation, row]) =>
      'why' in row
        ? []
        : [{ name: `${file.title}, ${situation}`, upstream: upstreamOf(file), scenario: row }],
  );
}

function configOf(double: Double): string {
  const names = [...new Map(all.map((file) => [upstreamOf(file), file]))];
  const lines = (text: (name: string, file: AccountingRows) => string): string =>
    names.map(([name, file]) => `  ${text(name, file)}\n`).join('');
  const allow = new Set(all.flatMap((file) => file.allow));
  const prices = new Map(all.flatMap((file) => Object.entries(file.prices)));
  return `fleet: accounting
mode: enforce
budgets: [$1000/month]
upstreams:
${lines((name, { dialect }) => `${name}: { url: "${double.url}", speaks: ${dialect}, credential: ${name} }`)}credentials:
${lines((name) => `${name}: { from: "env:SECRET_${name.toUpperCase().replaceAll('-', '_')}" }`)}roles:
  accountant:
    allow: ${JSON.stringify([...allow])}
agents: { scout: { role: accountant } }
prices:
${[...prices].map(([target, price]) => `  ${JSON.stringify(target)}: ${price}\n`).join('')}listen: { proxy: 127.0.0.1:0, admin: 127.0.0.1:0, otlp: 127.0.0.1:0, control: 127.0.0.1:0, sql: 127.0.0.1:0 }
`;
}

const secretsOf = (): Record<string, string> =>
  Object.fromEntries(
    all.map((file) => [
      `SECRET_${upstreamOf(file).toUpperCase().replaceAll('-', '_')}`,
      file.secret ?? 'sk-accounting',
    ]),
  );

let double: Double;
let outrider: Started;
beforeAll(async () => {
  const scenarios = new Map(cases.map(({ name, scenario }) => [name, scenario]));
  double = await startDouble((name) => scenarios.get(name)!);
  const directory = temporaryDirectory('accounting');
  const config = writeConfig(directory, configOf(double));
  outrider = await startOutrider(['up', '--config', config, '--data', join(directory, 'data')], {
    ready: 2,
    env: { ...secretsOf(), OUTRIDER_TOKEN: '' },
  });
});
afterAll(async () => {
  outrider.child.kill('SIGTERM');
  expect(await outrider.exited).toBe(0);
  await double.close();
});

interface Row {
  readonly call_id: string;
  readonly status: string;
  readonly usage_source: string;
  readonly tokens_in: number | string | null;
  readonly tokens_out: number | string | null;
  readonly tokens_cached: number | string | null;
  readonly cost: string | null;
}

/** Sends one and returns its call's id. Hangs up once all of a stream that stays open has come. */
async function send({ name, upstream, scenario }: Case): Promise<string> {
  const { request, answer } = scenario;
  const controller = new AbortController();
  const response = await fetch(`${outrider.listen.sidecar!.proxy}/${upstream}${request.path}`, {
    method: request.method,
    headers: { ...request.headers, [SCENARIO_HEADER]: name },
    body: JSON.stringify(request.body),
    signal: controller.signal,
  });
  const call = response.headers.get('x-outrider-call')!;
  const refusal = response.headers.get('x-outrider-refusal');
  if (refusal !== null) throw new Error(`${name} was refused: ${await response.text()}`);
  const wanted = answer.chunks.reduce((sum, chunk) => sum + Buffer.byteLength(chunk), 0);
  let got = 0;
  if (answer.staysOpen) {
    for await (const chunk of response.body!) {
      got += chunk.length;
      if (got >= wanted) break;
    }
    controller.abort();
  } else await response.arrayBuffer().catch(() => undefined);
  return call;
}

describe('what a call cost, as its row in `actions` has it', () => {
  const found = new Map<string, Row>();
  beforeAll(async () => {
    const calls = new Map<string, string>();
    for (const each of cases) calls.set(each.name, await send(each));
    const ids = [...calls.values()].map((id) => `'${id}'`).join();
    const rows = await until(
      () =>
        queryRows<Row>(
          outrider.listen.collector!.sql!,
          `SELECT *, toString(toInt64(cost_usd * 1000000000)) AS cost FROM actions WHERE call_id IN (${ids})`,
        ),
      (rows) => rows.length >= calls.size,
    );
    for (const [name, id] of calls) found.set(name, rows.find(({ call_id }) => call_id === id)!);
  });

  it.each(cases.map((each) => [each.name, each] as const))('%s', (name, { scenario: { expected } }) => {
    const { status, usage_source, tokens_in, tokens_out, tokens_cached, cost } = found.get(name)!;
    const number = (value: number | string | null): number | null => (value === null ? null : Number(value));
    expect({
      status,
      source: usage_source,
      tokensIn: number(tokens_in),
      tokensOut: number(tokens_out),
      tokensCached: number(tokens_cached),
      costNanodollars: cost === null ? null : BigInt(cost),
    }).toEqual(expected);
  });
});

it('docs/accounting.md is what `npm run docs` writes', () => {
  expect(readFileSync(new URL('../../docs/accounting.md', import.meta.url), 'utf8')).toBe(
    accountingPage(all),
  );
});
