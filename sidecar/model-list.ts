// A provider's model list, cut down to the models the agent may use: the one answer that is taken whole and written
// anew. Both OpenAI and Anthropic list models as `{ data: [{ id, … }] }`.

import { judge } from '../contract/rules/judge.ts';
import { agentFacts } from '../contract/rules/subject.ts';
import type { Answered } from './call.ts';

export const MODEL_LIST_BYTES_MAX = 8 * 1024 * 1024;

/** The list without what no rule allows; as it came where it is not such a list, or the agent only observes. */
export function filterModels(bytes: Buffer, { agent, upstream, lineage, startedAtMs }: Answered): Buffer {
  const list = listOf(bytes);
  if (list === undefined || agent.mode === 'observe') return bytes;
  const now = new Date(startedAtMs);
  const data = list.data.filter(({ id }) => {
    const call = { upstream: upstream.name, model: String(id) };
    const facts = () => ({
      call,
      args: {},
      agent: agentFacts(agent.entry, agent.name),
      task: lineage.task,
      cost: 0,
      now,
    });
    const { verdict } = judge(agent.rules, [{ kind: 'llm', ...call }], facts);
    return verdict === 'allow' || verdict === 'notify' || verdict === 'ask';
  });
  return data.length === list.data.length ? bytes : Buffer.from(JSON.stringify({ ...list, data }));
}

function listOf(bytes: Buffer): { data: { id: unknown }[] } | undefined {
  try {
    const value = JSON.parse(bytes.toString()) as { data?: unknown };
    return Array.isArray(value?.data) ? (value as { data: { id: unknown }[] }) : undefined;
  } catch (failure) {
    if (failure instanceof SyntaxError) return undefined;
    throw failure;
  }
}
