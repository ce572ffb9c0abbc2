// /v1/alerts: what fires, fired and could; a test of the channels; who takes an alert on, and what nobody wants to hear.

import { z } from 'zod';
import {
  type AlertList,
  type Matchers,
  SEVERITIES,
  type Send,
  type Severity,
  SILENCE_MS_MAX,
} from '../../contract/alert.ts';
import { ApiError } from './failures.ts';
import { bodyOf, checked, text } from './messages.ts';
import type { Api } from './routes.ts';

/** What the routes need of collector/alerts/. */
export interface AlertDesk {
  list(): Promise<AlertList>;
  test(severity: Severity, by: string): Promise<readonly Send[]>;
  acknowledge(ask: { alert: string; key: string | null; by: string; reason: string }): Promise<number>;
  silence(ask: { matchers: Matchers; forMs: number; by: string; reason: string }): Promise<string>;
  endSilence(id: string, by: string): Promise<boolean>;
}

const reason = text(500);
const matcher = text(1_000).exactOptional();

const testAsk = z.object({ severity: z.enum(SEVERITIES) });
const ackAsk = z.object({ alert: text(64), key: text(1_000).nullable(), reason });
const silenceAsk = z.object({
  matchers: z
    .strictObject({
      alert: matcher,
      key: matcher,
      agent: matcher,
      task: matcher,
      owner: matcher,
      severity: matcher,
    })
    .refine(
      (matchers) => Object.keys(matchers).length > 0,
      'names nothing: a silence of everything is refused',
    ),
  for_ms: z.int().positive().max(SILENCE_MS_MAX),
  reason,
});
const silenceId = z.string().regex(/^\d{1,18}$/, 'is the number of a silence');

export function alertRoutes(api: Api, alerts: AlertDesk): void {
  api.get('/v1/alerts', async (context) => context.json(await alerts.list()));
  api.post('/v1/alerts/test', async (context) => {
    const { severity } = await bodyOf(context, testAsk);
    const sent = await alerts.test(severity, context.get('caller').sender);
    return context.json({ answers: sent.map(({ channel, state, answer }) => ({ channel, state, answer })) });
  });
  api.post('/v1/alerts/ack', async (context) => {
    const ask = await bodyOf(context, ackAsk);
    const acknowledged = await alerts.acknowledge({ ...ask, by: context.get('caller').sender });
    if (acknowledged === 0) {
      throw new ApiError(
        404,
        'no_such_alert',
        'No such alert fires and waits for somebody: `outrider alerts` lists what does.',
      );
    }
    return context.json({ acknowledged });
  });
  api.post('/v1/alerts/silences', async (context) => {
    const { matchers, for_ms, reason } = await bodyOf(context, silenceAsk);
    const by = context.get('caller').sender;
    return context.json({ id: await alerts.silence({ matchers, forMs: for_ms, by, reason }) });
  });
  api.delete('/v1/alerts/silences/:id', async (context) => {
    const id = checked(context.req.param('id'), silenceId);
    if (!(await alerts.endSilence(id, context.get('caller').sender))) {
      throw new ApiError(
        404,
        'no_such_silence',
        `No silence ${id} is in force: \`outrider alerts\` lists those that are.`,
      );
    }
    return context.json({});
  });
}
