// A refusal as Anthropic's clients understand it: `{"type":"error","error":{type,message},"request_id"}`
// (platform.claude.com/docs/en/api/errors). Claude Code takes any 403 for a lost login and asks its user to log in
// again, so what is 403 elsewhere is 400 here; the error's type still says `permission_error`.

import type { Refusal } from '../../../contract/refusals.ts';
import type { Asked } from '../dialect.ts';
import { errorBody, errorTypeOf } from './errors.ts';

export function refuse(
  refusal: Refusal,
  { callId }: Asked,
): { status: number; contentType: string; body: string } {
  const { status, advice } = refusal.kind;
  const error = {
    ...refusal.detail.facts,
    type: errorTypeOf(status),
    message: `${refusal.message} ${advice}`,
    code: refusal.code,
    ...(refusal.detail.reason !== undefined && { reason: refusal.detail.reason }),
  };
  return {
    status: status === 403 ? 400 : status,
    contentType: 'application/json',
    body: JSON.stringify(errorBody(error, callId)),
  };
}
