// GET, POST /v1/tokens and DELETE /v1/tokens/{name}: who may come, as what, until when.

import { z } from 'zod';
import {
  AGENT_ATTRIBUTE,
  AGENT_CLAIM,
  claimsText,
  TOKEN_KINDS,
  type TokenKind,
  type TokenOrder,
} from '../../contract/token.ts';
import { isReserved, TOKENS_MAX, type Tokens, TooManyTokens } from '../control/tokens.ts';
import { ApiError } from './failures.ts';
import { bodyOf, checked } from './messages.ts';
import type { Api } from './routes.ts';

const FOR_MS_MAX = 3_650 * 86_400_000;
/** With the token's name they stand in each row, and in a leaf of the audit log. */
const CLAIMS_BYTES_MAX = 160;

const tokenName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'is 1 to 64 letters, digits, dots, dashes and underscores');
const value = z
  .string()
  .regex(/^[A-Za-z0-9._*:/@-]{1,128}$/, 'holds letters, digits, ._:/@- and * for any run of characters');
const claims = z.record(z.string(), z.array(value).min(1)).superRefine((claimed, { addIssue }) => {
  for (const name of Object.keys(claimed)) {
    const mistake = mistakeIn(name);
    if (mistake !== null) addIssue({ code: 'custom', message: `${name} ${mistake}` });
  }
});

function isOfKind(kind: TokenKind, claimed: readonly string[]): boolean {
  if (kind === 'telemetry') return claimed.length > 0;
  return claimed.length === 0 || (kind === 'sidecar' && claimed.every((name) => name === AGENT_CLAIM));
}

function mistakeIn(attribute: string): string | null {
  if (attribute === AGENT_ATTRIBUTE) return `is written \`${AGENT_CLAIM}\``;
  if (attribute.startsWith('outrider.')) return 'can be claimed by nobody: outrider.* attributes are dropped';
  const isName = /^[A-Za-z][A-Za-z0-9._-]{0,127}$/.test(attribute);
  return isName ? null : `is neither \`${AGENT_CLAIM}\` nor the name of a resource attribute`;
}

const tokenOrder: z.ZodType<TokenOrder> = z
  .strictObject({
    name: tokenName.refine((name) => !isReserved(name), 'is a name the collector gives'),
    kind: z.enum(TOKEN_KINDS),
    claims: claims.default({}),
    for_ms: z.int().positive().max(FOR_MS_MAX).nullable().default(null),
  })
  .refine(({ kind, claims }) => isOfKind(kind, Object.keys(claims)), {
    path: ['claims'],
    message:
      'a telemetry token claims at least one attribute, such as agent; a sidecar’s its agents, or none; others none',
  })
  .refine(({ claims }) => claimsText(claims).length <= CLAIMS_BYTES_MAX, {
    path: ['claims'],
    message: `are at most ${CLAIMS_BYTES_MAX} characters together: use *, or several tokens`,
  });

export function tokenRoutes(api: Api, tokens: Pick<Tokens, 'create' | 'revoke' | 'list'>): void {
  api.get('/v1/tokens', (context) => context.json(tokens.list()));
  api.post('/v1/tokens', async (context) => {
    const order = await bodyOf(context, tokenOrder);
    const made = await tokens.create(order, context.get('caller').sender).catch(refuseTooMany);
    if (made) return context.json(made, 201);
    throw new ApiError(
      409,
      'name_taken',
      `There is, or was, a token called ${order.name}: the record knows it by that name; choose another.`,
    );
  });
  api.delete('/v1/tokens/:name', async (context) => {
    const name = checked(context.req.param('name'), tokenName);
    if (await tokens.revoke(name, context.get('caller').sender)) return context.json({});
    throw new ApiError(
      404,
      'unknown_token',
      `No token called ${name} is in force that could be revoked here.`,
    );
  });
}

function refuseTooMany(failure: unknown): never {
  if (failure instanceof TooManyTokens)
    throw new ApiError(409, 'too_many_tokens', `${TOKENS_MAX} tokens are in force: revoke some first.`);
  throw failure;
}
