// The same call for another model in the same wire form: the name is replaced where the form has it, in the body or in the
// path, and every other byte stays. What one provider keeps for its caller is unknown to another.

import type { AskedCall, CarriedCall } from './bridge.ts';
import { applySplices, memberValue, replaceValue } from './members.ts';

/** Null without a `model` in the body. */
export function modelInBody(asked: AskedCall, model: string, elsewhere: string | null): CarriedCall | null {
  const named = memberValue(asked.body, 0, 'model');
  const path = pathAt(asked, elsewhere);
  if (!named || path === null) return null;
  const body = applySplices(asked.body, [replaceValue(named, JSON.stringify(model))]);
  return { path, query: asked.head.query, body, headers: {} };
}

/** `name` is what stands for the old model in the path, `next` for the new one; where the body names it too, both are replaced. */
export function modelInPath(
  asked: AskedCall,
  { name, next }: { readonly name: string; readonly next: string },
  model: string,
  elsewhere: string | null,
): CarriedCall | null {
  const path = pathAt(asked, elsewhere);
  const at = path === null ? -1 : path.lastIndexOf(name);
  if (path === null || at < 0) return null;
  const named = memberValue(asked.body, 0, 'model');
  return {
    path: path.slice(0, at) + next + path.slice(at + name.length),
    query: asked.head.query,
    body: named ? applySplices(asked.body, [replaceValue(named, JSON.stringify(model))]) : asked.body,
    headers: {},
  };
}

/** Answers, files, caches, containers and what was encrypted for one provider's own eyes. */
const KEPT_THERE =
  /"(?:previous_response_id|conversation|file_id|encrypted_content|container|cached_?content|file_?uri)"\s*:\s*["{]/i;

function pathAt({ head, base, body }: AskedCall, elsewhere: string | null): string | null {
  if (elsewhere === null) return head.path;
  return KEPT_THERE.test(body.toString('latin1')) ? null : elsewhere + head.path.slice(base.length);
}
