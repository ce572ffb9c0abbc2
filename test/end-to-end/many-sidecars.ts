// Many sidecar processes of one agent spend one task's budget at once, each task a round of its own. With faults, some are
// killed or stopped at random moments and come back. What must hold is checked here; a failure names the seed.

import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'vitest';
import { type Provider, startProvider } from '../../examples/provider/provider.ts';
import {
  control,
  type Started,
  startOutrider,
  temporaryDirectory,
  until,
  writeConfig,
} from '../support/processes.ts';
import { type Budget, REAL_KEY, SAMPLE } from './fleet.ts';

const DOLLAR = 1_000_000_000;
const ENVIRONMENT = { REAL_KEY, OUTRIDER_TOKEN: '' };
const STOPPED_MS_MAX = 4_000;
const ASK_AGAIN_MS = 50;

export interface ManySidecars {
  /** The read-only SQL door. */
  readonly sql: string;
  readonly collector: Started;
  /**
   * Calls of $1 until every caller has heard that the budget is spent; checks that exactly all of it is. Answers how many
   * calls were answered at all, refusals too.
   */
  spend(task: string, random?: () => number): Promise<number>;
  stop(): Promise<void>;
}

export interface ManyOptions {
  readonly sidecars: number;
  /** Callers of each sidecar, all at once. */
  readonly callers: number;
  readonly dollars: number;
}

/** Mulberry32: small, seeded, good enough to choose moments. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export async function startManySidecars({ sidecars, callers, dollars }: ManyOptions): Promise<ManySidecars> {
  let reached = 0;
  const provider: Provider = await startProvider({
    keepRequests: false,
    behave: () => {
      reached += 1;
      return { usage: { input: 10, output: 1 } };
    },
  });
  const directory = temporaryDirectory('many-sidecars');
  const data = join(directory, 'data');
  const yaml = SAMPLE.replace(
    'budgets: [$1000/month]',
    'budgets: [$1000000/month]\nmoney: { lease: 5s, hold_wait: 5s }',
  )
    .replace('budgets: [$500/month]', 'budgets: [$900000/month]')
    .replace(
      'budgets: [$100/month], task_budgets: [$50]',
      `budgets: [$800000/month], task_budgets: [$${dollars}]`,
    );
  // A busy machine is no fault: without faults nothing may end by a timeout.
  const patient = yaml.replace(
    /^timeouts:.*$/m,
    'timeouts: { connect: 60s, first_byte: 90s, idle: 90s, total: 120s }',
  );
  const config = writeConfig(directory, patient.replaceAll('{provider}', provider.url));
  const place = ['--config', config, '--data', data];
  const collector = await startOutrider(['collector', ...place], { ready: 1, env: ENVIRONMENT });
  const api = collector.listen.collector!.control!;
  const start = (index: number): Promise<Started> =>
    startOutrider(['sidecar', ...place, '--agent', `scout/s${index}`, '--collector', api], {
      ready: 1,
      env: ENVIRONMENT,
    });
  const processes = await Promise.all(Array.from({ length: sidecars }, (_, i) => start(i)));

  async function callUntilSpent(
    index: number,
    task: string,
    done: { now: number; calls: number },
  ): Promise<void> {
    for (;;) {
      const ended = await callOnce(processes[index]!, task);
      done.calls += 1;
      if (ended === 'answered') done.now += 1;
      if (ended === 'spent') return;
      await pause(ASK_AGAIN_MS);
    }
  }

  async function hurt(index: number, random: () => number): Promise<void> {
    await pause(random() * 1_000);
    const victim = processes[index]!;
    if (random() < 0.5) {
      await victim.kill('SIGKILL');
      await pause(random() * 1_000);
      processes[index] = await start(index);
    } else {
      victim.child.kill('SIGSTOP');
      await pause(random() * STOPPED_MS_MAX);
      victim.child.kill('SIGCONT');
    }
  }

  const lineOf = async (task: string): Promise<Budget | undefined> => {
    const lines = await control<Budget[]>(api, data, '/v1/budgets');
    return lines.find(({ level, name }) => level === 'task' && name === `scout/${task}`);
  };

  return {
    sql: collector.listen.collector!.sql!,
    collector,
    async spend(task, random) {
      const before = reached;
      const answered = { now: 0, calls: 0 };
      const storm = Array.from({ length: sidecars * callers }, (_, i) =>
        callUntilSpent(i % sidecars, task, answered),
      );
      const victims = random ? processes.map((_, i) => i).filter(() => random() < 0.3) : [];
      await Promise.all([...storm, ...victims.map((index) => hurt(index, random!))]);
      const line = await until(
        () => lineOf(task),
        (each) => each?.held === '0' && Number(each.posted) > 0,
      );
      expect(Number(line?.posted), `${task}: all of it, and no more`).toBe(dollars * DOLLAR);
      expect(reached - before, `${task}: calls that reached the provider`).toBeLessThanOrEqual(dollars);
      if (!random) expect([answered.now, reached - before]).toEqual([dollars, dollars]);
      expect(await control(api, data, '/v1/budgets/check')).toEqual({ problems: [] });
      return answered.calls;
    },
    async stop() {
      await Promise.all(processes.map((each) => each.kill('SIGKILL')));
      await collector.kill('SIGTERM');
      await provider.close();
    },
  };
}

async function callOnce({ listen }: Started, task: string): Promise<'answered' | 'spent' | 'again'> {
  try {
    const answer = await fetch(`${listen.sidecar!.proxy}/openai/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-outrider-task': task },
      body: JSON.stringify({
        model: 'dollar',
        max_completion_tokens: 1,
        messages: [{ role: 'user', content: 'hi' }],
      }),
    });
    await answer.arrayBuffer();
    if (answer.status === 200) return 'answered';
    const final = answer.headers.get('x-should-retry') === 'false';
    return final && answer.headers.get('x-outrider-refusal') === 'over_budget' ? 'spent' : 'again';
  } catch (failure) {
    if (!(failure instanceof TypeError)) throw failure; // killed: its port refuses, or the answer broke off
    return 'again';
  }
}
