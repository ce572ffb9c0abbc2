// A provider's model list, cut down to the models the agent may use. OpenAI and Anthropic both list models as
// `{ data: [{ id, … }] }`.

import type { AnswerView, Json, Rewriter } from './dialect.ts';
import { isObject } from './fields.ts';
import { rewriteWhole } from './rewrite-whole.ts';

export function listedModels({ upstream, status, allows }: AnswerView): Rewriter | null {
  if (status !== 200) return null;
  return rewriteWhole((list) => {
    if (!Array.isArray(list.data)) return list;
    const data = list.data.filter((model) => allows({ kind: 'llm', upstream, model: idOf(model) }));
    return data.length === list.data.length ? list : { ...list, data };
  });
}

const idOf = (model: Json): string => (isObject(model) ? String(model.id) : '');
