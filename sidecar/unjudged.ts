// What cannot be judged (a body no strict reader takes, a path nobody knows, a file nobody saw) is refused where rules
// are enforced, and passes where they are only observed; but what is prohibited is refused there too, so nothing passes
// that might be it.

import type { Upstream } from '../contract/config/config.ts';
import type { Identified } from './call.ts';

/** Asking without a body says no more than its path. */
const READS = new Set(['GET', 'HEAD', 'OPTIONS']);

export const passesUnjudged = ({ agent }: Identified, { name }: Upstream): boolean =>
  agent.mode === 'observe' && !agent.rules.prohibited.some(({ concerns }) => concerns(name));

export const passesUnknown = (call: Identified, upstream: Upstream): boolean =>
  passesUnjudged(call, upstream) || (call.agent.mode === 'observe' && READS.has(call.method));
