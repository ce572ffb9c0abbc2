// The sidecar that clients are tried against: a model each that is allowed, unknown, asked for, and too dear.

import type { Behaviour, ReceivedRequest } from '../../examples/provider/behaviour.ts';
import { type Fleet, SAMPLE, startFleet } from '../end-to-end/fleet.ts';

const CONFIG = SAMPLE.replace('- llm openai/dollar', '- llm openai/dollars\n      - llm anthropic/dollars')
  .replace('ask: [llm openai/gpt-5-pro]', 'ask: [llm openai/gpt-5-pro, llm anthropic/claude-sonnet-4-5]')
  .replace(
    /^ {2}openai\/dollar:.*$/m,
    '  openai/dollars: { call: $200 }\n  anthropic/dollars: { call: $200 }',
  );

/** A tool the request offers is asked for once, and what it answered is then enough. */
export async function startSetting(toolCall: Behaviour): Promise<Fleet> {
  const fleet = await startFleet(CONFIG);
  fleet.behave((request: ReceivedRequest) => {
    const body = request.body.toString();
    return body.includes('Paris?') && !body.includes('It is sunny') ? toolCall : undefined;
  });
  return fleet;
}

/** What `outrider env` prints for them. */
export const clientVariables = (fleet: Fleet): Record<string, string> => ({
  OPENAI_BASE_URL: `${fleet.proxy}/openai/v1`,
  OPENAI_API_KEY: 'outrider-placeholder-key',
  ANTHROPIC_BASE_URL: `${fleet.proxy}/anthropic`,
  ANTHROPIC_API_KEY: 'outrider-placeholder-key',
});
