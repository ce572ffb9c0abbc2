// Google's model list, cut down to the models the agent may use: `{ models: [{ name: "models/x" }] }` of the Gemini API,
// `{ publisherModels: [{ name: "publishers/google/models/x" }] }` of Vertex AI.

import type { AnswerView, Json, Rewriter } from '../dialect.ts';
import { isObject } from '../fields.ts';
import { rewriteWhole } from '../rewrite-whole.ts';

const LISTS = ['models', 'publisherModels'];

export function listedModels({ upstream, status, allows }: AnswerView): Rewriter | null {
  if (status !== 200) return null;
  const allowed = (model: Json): boolean => allows({ kind: 'llm', upstream, model: idOf(model) });
  return rewriteWhole((answer) => {
    const cut = LISTS.flatMap((key): [string, Json[]][] => {
      const models = answer[key];
      return Array.isArray(models) ? [[key, models.filter(allowed)]] : [];
    });
    const shorter = cut.filter(([key, kept]) => kept.length < (answer[key] as Json[]).length);
    return shorter.length === 0 ? answer : { ...answer, ...Object.fromEntries(shorter) };
  });
}

function idOf(model: Json): string {
  const name = isObject(model) ? String(model.name) : '';
  return name.slice(name.lastIndexOf('/') + 1);
}
