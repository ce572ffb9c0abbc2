// What is held for a batch that is submitted by its file: never nothing, where an agent is held to its budget.

import { expect, it } from 'vitest';
import type { Authorized } from '../../../sidecar/call.ts';
import { reserve } from '../../../sidecar/stages/reserve.ts';

const HELD = { nanodollars: 5n, tokens: 7n };
const HOLD = { leases: [], settle: () => undefined };
const leases = { hold: async () => HOLD, force: () => HOLD };

const submission = (mode: 'enforce' | 'observe', bound: object | null): Authorized =>
  ({
    agent: { name: 'scout', mode },
    lineage: { task: 't' },
    upstream: { name: 'openai' },
    endpoint: { billed: 'tokens', name: 'batch' },
    description: { requests: [], inputFile: { id: 'file-1', endpoint: 'chat' } },
    batchFile: { bound },
    judgement: { verdict: 'allow', target: 'openai/m' },
    policy: { config: { money: { unknownPrice: 'refuse' } } },
  }) as unknown as Authorized;

const reserved = (mode: 'enforce' | 'observe', bound: object | null) =>
  reserve(submission(mode, bound), { leases } as unknown as Parameters<typeof reserve>[1]);

it('holds what the requests of its file can cost', async () => {
  expect(await reserved('enforce', { held: HELD, price: {} })).toMatchObject({ hold: HOLD, held: HELD });
});

it('refuses a file that was taken without a bound while the agent was only observed', async () => {
  await expect(reserved('enforce', null)).rejects.toMatchObject({ code: 'unpriced' });
  expect(await reserved('observe', null)).toMatchObject({ hold: null, wouldRefusal: 'unpriced' });
});
