// POST /v1/policy: an instance says which policy it put in force, and who did it.

import { z } from 'zod';
import { type PolicyReport, policyDigest } from '../../contract/policy.ts';
import { badRequest } from './failures.ts';
import { mustSpeakFor } from './guards.ts';
import { agentName, bodyOf, instanceName, text } from './messages.ts';
import type { Api } from './routes.ts';

const FILES_MAX = 1_000;
const FILE_NAME_CHARACTERS_MAX = 1_024;

const policyReport: z.ZodType<PolicyReport> = z.object({
  digest: z.string().regex(/^[0-9a-f]{64}$/),
  agent: agentName,
  instance: instanceName,
  loaded_at: z.int().nonnegative(),
  by: text(512),
  sources: z.array(z.object({ file: text(FILE_NAME_CHARACTERS_MAX), text: z.string() })).max(FILES_MAX),
});

export function policyRoutes(api: Api, keep: (report: PolicyReport) => Promise<void>): void {
  api.post('/v1/policy', async (context) => {
    const report = await bodyOf(context, policyReport);
    mustSpeakFor(report.agent, context.get('caller'));
    // The policy in force without any file has no text.
    if (report.sources.length > 0 && policyDigest(report.sources) !== report.digest)
      throw badRequest('digest: is not the digest of these sources.');
    await keep(report);
    return context.json({});
  });
}
