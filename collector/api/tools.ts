// GET, POST /v1/tools and POST /v1/tools/accept: which definition of each tool holds, what agents were shown, and who
// takes another one for good.

import { z } from 'zod';
import { TOOL_SIGHTINGS_MAX, type ToolAcceptance, type ToolReport } from '../../contract/tool.ts';
import type { Tools } from '../control/tools.ts';
import { ApiError } from './failures.ts';
import { mustSpeakFor } from './guards.ts';
import { agentName, bodyOf, text } from './messages.ts';
import type { Api } from './routes.ts';

const named = { upstream: text(128), tool: text(512) };
const digest = z.string().regex(/^[0-9a-f]{64}$/, 'is a SHA-256 in lower-case hex');

const report: z.ZodType<ToolReport> = z.object({
  agent: agentName,
  tools: z.array(z.object({ ...named, digest })).max(TOOL_SIGHTINGS_MAX),
});
const acceptance: z.ZodType<ToolAcceptance> = z.object(named);

export function toolRoutes(api: Api, tools: Tools): void {
  api.get('/v1/tools', (context) => context.json(tools.lines()));
  api.post('/v1/tools', async (context) => {
    const seen = await bodyOf(context, report);
    mustSpeakFor(seen.agent, context.get('caller'));
    return context.json(await tools.see(seen, context.get('caller').sender));
  });
  api.post('/v1/tools/accept', async (context) => {
    const accepted = await bodyOf(context, acceptance);
    const line = await tools.accept(accepted, context.get('caller').sender);
    if (line) return context.json(line);
    throw new ApiError(404, 'unknown_tool', `No agent was ever shown ${accepted.upstream}/${accepted.tool}.`);
  });
}
