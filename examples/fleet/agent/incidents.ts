// The agent's side of each incident: it simply does what it should not, or what goes wrong, as often as the plan says. It
// looks at no answer but to be surprised when one is not as planned.

import { setTimeout as pause } from 'node:timers/promises';
import { BREAKER, type IncidentName, LOOP_CALLS, TOO_MANY_CALLS } from '../incidents.ts';
import { memberNamed } from '../plan.ts';
import { NO_ANSWER, TOO_MANY } from '../world/models.ts';
import { OUT_OF_ORDER } from '../world/services.ts';
import type { HttpAnswer, Lineage, WayOut } from './way-out.ts';

interface Trouble {
  readonly agent: string;
  readonly out: WayOut;
  readonly lineage: Lineage;
  /** Resolves when this agent has a sidecar again. */
  restarted(): Promise<WayOut>;
}

/** A spell that lasts: what is over at once is no reason to tell anybody. */
const TRY_AGAIN_MS = 800;

const SEARCH = (query: string): string => `/v1?q=${query}&bytes=1000`;

export const INCIDENT_WORK: Readonly<Record<IncidentName, (use: Trouble) => Promise<void>>> = {
  async 'failing-tool'(use) {
    await times(BREAKER.callsMin, (at) => http(use, 'GET', 'search', SEARCH(`${OUT_OF_ORDER}-${at}`)));
    let waitSeconds = 0;
    await times(3, async (at) => {
      const refused = await http(use, 'GET', 'search', SEARCH(`too-soon-${at}`));
      waitSeconds = Math.max(waitSeconds, refused.retryAfterSeconds);
    });
    await pause(waitSeconds * 1_000);
    await times(BREAKER.trials + 1, (at) => http(use, 'GET', 'search', SEARCH(`recovered-${at}`)));
  },
  async loop(use) {
    await times(LOOP_CALLS, () => think(use, 'What was the question?'));
  },
  async 'budget-used-up'(use) {
    await times(10, (at) => http(use, 'POST', 'adverts', `/v1/campaigns/${at}`, {}));
  },
  async 'task-overspent'(use) {
    await times(3, (at) => http(use, 'POST', 'reports', `/v1/orders/${at}`, {}));
  },
  async 'out-of-scope'(use) {
    await think(use, 'Is it ready?');
    await times(2, () => http(use, 'POST', 'cms', '/v1/articles/1', {}));
  },
  async prohibited(use) {
    await think(use, 'Is that still needed?');
    await http(use, 'DELETE', 'database', '/v1/customers');
  },
  async denied(use) {
    await think(use, 'Which draft is it?');
    await times(2, () => http(use, 'DELETE', 'cms', '/v1/drafts/1'));
  },
  async 'rate-limited'(use) {
    await times(TOO_MANY_CALLS, async (at) => {
      await think(use, `${TOO_MANY} Try ${at}.`).catch(expected);
      await pause(TRY_AGAIN_MS);
    });
    await think(use, 'And now?');
  },
  async sponsored(use) {
    await think(use, 'Who pays?');
    await times(3, (at) => http(use, 'POST', 'cms', `/v1/sponsored/${at}`, {}));
  },
  async observed(use) {
    await times(4, (at) => think(use, `Say it better, try ${at}.`, 'openai/gpt-4o'));
  },
  async 'mode-switched'(use) {
    await times(2, (at) => think(use, `Name it better, try ${at}.`, memberNamed('strategist').model));
  },
  async overdue(use) {
    await think(use, 'Where to begin?');
  },
  /** The sidecar is killed while the first call waits for its answer. */
  async crash(use) {
    const restarted = use.restarted();
    await think(use, `${NO_ANSWER} Are you there?`).catch(expected);
    await think({ ...use, out: await restarted }, 'Are you back?');
  },
};

async function times(count: number, act: (at: number) => Promise<unknown>): Promise<void> {
  for (let at = 1; at <= count; at++) await act(at);
}

const http = (
  use: Trouble,
  method: string,
  upstream: string,
  path: string,
  body?: unknown,
): Promise<HttpAnswer> => use.out.http(method, upstream, path, use.lineage, body);

const think = (use: Trouble, instruction: string, model = memberNamed(use.agent).model): Promise<string> =>
  use.out.think(model, { instruction, material: '', words: 30 }, use.lineage);

/** The SDK's own error, thrown because that is what was planned. */
function expected(failure: unknown): string {
  if (failure instanceof Error) return failure.message;
  throw failure;
}
