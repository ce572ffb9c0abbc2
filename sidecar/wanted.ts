// What a call wants, as rules weigh it: the model, the tools it offers, the tools it asks the provider to run; each act
// of a tool server's or an agent's call; each request of a batch. What has arguments of its own is weighed on those,
// everything else on the whole body.

import { agentFacts } from '../contract/rules/subject.ts';
import type { ConditionFacts, Subject } from '../contract/rules.ts';
import type { Classified } from './call.ts';
import { namesProvider } from './destination.ts';
import type { Description, JsonObject } from './dialects/dialect.ts';

export type Wanted = Subject & {
  /** What a condition sees as `args`, where it is not the whole body. */
  readonly args?: JsonObject | undefined;
  /** The request of a batch that wants it. */
  readonly within?: Description | undefined;
};

/** Never empty: what names nothing is one nameless subject, which any rule that opens something of the upstream covers. */
export function wantedBy({ to, upstream, description, method, head, policy }: Classified): Wanted[] {
  if (to.kind === 'tunnel') return [{ kind: 'connect', host: to.host, port: to.port }];
  const { name, speaks } = upstream;
  if (speaks === 'http') {
    const url = new URL(upstream.url).origin + head.path;
    return [{ kind: 'http', method, url, declared: upstream.declared || namesProvider(policy.config, url) }];
  }
  const acts = description?.acts ?? [];
  if (speaks === 'mcp')
    return acts.length === 0
      ? [{ kind: 'mcp', upstream: name, tool: '' }]
      : acts.map((act) => ({ kind: 'mcp', upstream: name, tool: act.name, args: act.args }));
  if (speaks === 'a2a')
    return [
      ...(acts.length === 0
        ? [{ kind: 'a2a' as const, upstream: name, skill: '' }]
        : acts.map((act) => ({ kind: 'a2a' as const, upstream: name, skill: act.name, args: act.args }))),
      ...(description?.callsBack ?? []).map((url) => ({
        kind: 'http' as const,
        method: 'POST',
        url,
        declared: false,
      })),
    ];
  const wanted: Wanted[] = [];
  if (!description || description.requests.length === 0) addModelCall(wanted, name, description);
  else
    for (const { description: within, body } of description.requests)
      addModelCall(wanted, name, within, body);
  return wanted;
}

/** `body` is given where it is not the whole call's: then every one of its subjects is weighed on it. */
function addModelCall(
  wanted: Wanted[],
  upstream: string,
  description: Description | undefined,
  body?: JsonObject,
): void {
  const within = body && description;
  wanted.push({ kind: 'llm', upstream, model: description?.model ?? '', args: body, within });
  if (!description) return;
  for (const name of description.toolsOffered) wanted.push({ kind: 'tool', name, args: body, within });
  for (let index = 0; index < description.hostedTools.length; index++) {
    const type = description.hostedTools[index]!;
    wanted.push({ kind: 'hosted', upstream, type, args: description.hostedArgs[index] ?? body, within });
  }
}

/** What a condition on one of them sees. */
export function factsOf(call: Classified, wanted: Wanted, now: Date): ConditionFacts {
  const { agent, lineage, json } = call;
  return {
    call: callFacts(call, wanted),
    args: wanted.args ?? json ?? {},
    agent: agentFacts(agent.entry, agent.name),
    task: lineage.task,
    cost: 0,
    now,
  };
}

/** In the words of CALL_WORDS. */
function callFacts(
  { agent, upstream, description, method, head }: Classified,
  wanted: Wanted,
): ConditionFacts['call'] {
  if (wanted.kind === 'connect') return { host: wanted.host, port: wanted.port };
  if (wanted.kind === 'mcp') return { upstream: upstream.name, tool: wanted.tool };
  if (wanted.kind === 'a2a') return { upstream: upstream.name, skill: wanted.skill };
  const { model = '', stream = false, outputTokensMax } = wanted.within ?? description ?? {};
  const facts = { upstream: upstream.name, model: model ?? '', method, path: head.path, stream };
  // what is written into a body that names no limit is at most its role's; without one a condition has nothing to go by
  const most = outputTokensMax ?? agent.maxOutputTokens;
  return most === null ? facts : { ...facts, max_output_tokens: most };
}
