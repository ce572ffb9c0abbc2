// POST /v1/leases: sidecars ask for money, report what they spent, give back.

import type { Handler } from 'hono';
import type { Ledger } from '../control/ledger.ts';
import { type ApiEnvironment, mustSpeakFor } from './guards.ts';
import { bodyOf, leaseRequest } from './messages.ts';

export function answerLeases(ledger: Ledger): Handler<ApiEnvironment> {
  return async (context) => {
    const request = await bodyOf(context, leaseRequest);
    mustSpeakFor(request.agent, context.get('caller'));
    return context.json(await ledger.lease(request));
  };
}
