// What happens on the stage before anyone looks: the same calls every time.

import { requestBytes, type Span } from '../collector/store/otlp.ts';
import type { Stage, StageAgent } from './stage.ts';

export const TRACE_ID = '5b8aa5a2d2c872e8321cf37308d69df2';
export const HOSTILE_TRACE_ID = '5b8aa5a2d2c872e8321cf37308d69df3';
/** What a script, a style or an attribute would have to be broken out of with. */
const HOSTILE = `<img src=x onerror=alert(1)>"'\`\u202e{{7*7}}</script><script>alert(2)</script>`;
const ROOT_SPAN = '051581bf3cb55c13';

const chat = (model: string, text: string) => ({
  model,
  max_completion_tokens: 400,
  messages: [{ role: 'user', content: text }],
});
const message = (model: string, text: string) => ({
  model,
  max_tokens: 800,
  messages: [{ role: 'user', content: text }],
});
const CHAT = '/openai/v1/chat/completions';
const MESSAGES = '/anthropic/v1/messages';

/** Plays the scene and resolves once every call of it can be asked for. */
export async function play(stage: Stage): Promise<void> {
  const ids: string[] = [];
  const call = async (agent: StageAgent, path: string, body?: unknown, more: object = {}) => {
    ids.push((await stage.call({ agent, path, ...(body === undefined ? {} : { body }), ...more })).id);
  };
  for (let article = 1; article <= 6; article += 1) {
    const task = `article-${article}`;
    await call('trend-scout', CHAT, chat('gpt-5-mini', `What is trending today? ${article}`), { task });
    await call('trend-scout', '/search/v1/news?q=agents', undefined, { task });
    await call('writer-1', MESSAGES, message('claude-opus-4-5', `Write draft ${article}.`), { task });
    await call('analytics', CHAT, chat('gpt-5-mini', `How did article ${article} do?`), { task });
  }
  await oneTrace(stage, call);
  await call('analytics', CHAT, chat('gpt-5', 'A dearer model than allowed.'));
  await call('writer-1', '/cms/articles', { title: 'Sponsored' }, { task: 'article-7' });
  await call('writer-1', '/search/v1/news?q=x');
  await call('trend-scout', '/search/v1/index/7', undefined, { method: 'DELETE' });
  for (let n = 0; n < 3; n += 1)
    await call('seo-optimizer', MESSAGES, message('claude-haiku-4-5', 'A meta description.'));
  stage.behave(() => ({ status: 500 }));
  await call('trend-scout', '/search/v1/news?q=down', undefined, { task: 'article-6' });
  await call('writer-1', MESSAGES, message('claude-opus-4-5', 'Fails.'), { task: 'article-6' });
  stage.behave(() => undefined);
  await stage.recorded(ids);
}

/** One trace with an agent's own spans around three calls. */
async function oneTrace(
  stage: Stage,
  call: (agent: StageAgent, path: string, body?: unknown, more?: object) => Promise<void>,
): Promise<void> {
  const startMs = Date.now();
  const trace = `00-${TRACE_ID}-${ROOT_SPAN}-01`;
  const more = { task: 'brief-42', trace };
  await call('trend-scout', CHAT, chat('gpt-5-mini', 'Plan the research.'), more);
  await call('trend-scout', '/search/v1/news?q=mcp', undefined, more);
  await call('trend-scout', CHAT, chat('gpt-5-pro', 'Too dear.'), more);
  await call('trend-scout', MESSAGES, message('claude-haiku-4-5', 'Sum it up.'), more);
  const span = (id: string, parent: string, name: string, fromMs: number, toMs: number) => ({
    traceId: Buffer.from(TRACE_ID, 'hex'),
    spanId: Buffer.from(id, 'hex'),
    ...(parent === '' ? {} : { parentSpanId: Buffer.from(parent, 'hex') }),
    name,
    kind: 1,
    startUnixNano: BigInt(fromMs) * 1_000_000n,
    endUnixNano: BigInt(toMs) * 1_000_000n,
    attributes: { 'gen_ai.agent.name': 'trend-scout', 'brief.topic': 'agents & budgets' },
  });
  const endMs = Date.now() + 4;
  await report(stage, [
    span(ROOT_SPAN, '', 'invoke_agent trend-scout', startMs - 3, endMs),
    span('0000000000000a01', ROOT_SPAN, 'parse answer', endMs - 3, endMs - 1),
  ]);
}

/** An agent that names everything it can after an attack: the model, its spans, their attributes. */
export async function playHostile(stage: Stage): Promise<void> {
  const { id } = await stage.call({
    agent: 'trend-scout',
    path: CHAT,
    body: chat(HOSTILE.replace(/[^\x20-\x7e]/g, ''), HOSTILE),
    trace: `00-${HOSTILE_TRACE_ID}-${ROOT_SPAN}-01`,
  });
  const nowNs = BigInt(Date.now()) * 1_000_000n;
  await report(stage, [
    {
      traceId: Buffer.from(HOSTILE_TRACE_ID, 'hex'),
      spanId: Buffer.from(ROOT_SPAN, 'hex'),
      name: HOSTILE,
      startUnixNano: nowNs - 1_000_000_000n,
      endUnixNano: nowNs,
      attributes: { [HOSTILE]: HOSTILE.repeat(50), 'gen_ai.agent.name': HOSTILE },
      events: [{ name: HOSTILE, atUnixNano: nowNs, attributes: { [HOSTILE]: HOSTILE } }],
      status: { code: 2, message: HOSTILE },
    },
  ]);
  await stage.recorded([id]);
}

/** Spans of an agent's own, as its SDK would send them. */
async function report(stage: Stage, spans: readonly Span[]): Promise<void> {
  const request = requestBytes({
    resource: { 'service.name': 'trend-scout-app' },
    scope: { name: 'my-agent', version: '1.4.0' },
    spans,
  });
  const answer = await fetch(`${stage.otlp}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-protobuf' },
    body: new Uint8Array(request),
  });
  if (!answer.ok) throw new Error(`The collector did not take the agent's spans: ${answer.status}`);
}
