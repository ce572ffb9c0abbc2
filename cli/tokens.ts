// `outrider tokens`: who may come to the collector, as what, until when. A token is shown once, when it is made.

import { parseArgs } from 'node:util';
import { readDuration } from '../contract/config/units.ts';
import {
  type Claims,
  claimsText,
  TOKEN_KINDS,
  type TokenKind,
  type TokenLine,
  type TokenMade,
  type TokenOrder,
} from '../contract/token.ts';
import { table } from '../kit/table.ts';
import { type CollectorClient, collectorClient } from './collector-client.ts';
import { EXIT, type Io, refuseIdleFlags, UsageError } from './command.ts';

export const help = `outrider tokens: who may come to the collector, as what, until when

Usage: outrider tokens [list] [--json]
       outrider tokens create NAME --kind KIND [--claim ATTRIBUTE=VALUE]… [--expires TIME] [--json]
       outrider tokens revoke NAME [--json]

  --kind KIND       operator    everything, as with the token that the collector wrote
                    sidecar     what a sidecar asks and reports, of all agents or of those it claims
                    reader      looks at everything, changes nothing
                    telemetry   sends OTLP, as context, and only as what it claims
  --claim A=V       of a telemetry token: what resource attribute A holds; \`agent\` is service.name. One value is put
                    in place of whatever the sender says; of several (--claim again, or * in one) it must say one.
                    Of a sidecar's: agent=NAME, the agents it speaks for
  --expires TIME    2h, 30d: then it is over; without, when it is revoked
  --json            the collector's answer as it came
  --collector URL   the control API (OUTRIDER_COLLECTOR; else http://127.0.0.1:4319)
  --data DIR        where the operator's token is (OUTRIDER_DATA; else ./.outrider), unless OUTRIDER_TOKEN holds it

create prints the token and nothing else: it is shown this once. A revoked token's streams end at once, and its name
stays taken, for the record knows it.

Example: outrider tokens create laptop --kind telemetry --claim agent=scout --expires 30d
`;

const OPTIONS = {
  kind: { type: 'string' },
  claim: { type: 'string', multiple: true },
  expires: { type: 'string' },
  json: { type: 'boolean', default: false },
  collector: { type: 'string' },
  data: { type: 'string' },
} as const;

export async function run(args: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options: OPTIONS });
  const [action = 'list', name, ...rest] = positionals;
  if (!['list', 'create', 'revoke'].includes(action) || rest.length > 0)
    throw new UsageError('Write `outrider tokens list`, `outrider tokens create NAME …` or `… revoke NAME`.');
  if ((action === 'list') !== (name === undefined))
    throw new UsageError(`Name the token: \`outrider tokens ${action} NAME\`; list takes none.`);
  const { claim, ...others } = values;
  const given = { ...others, claim: claim?.join(' ') };
  refuseIdleFlags(given, action === 'create' ? ['kind', 'claim', 'expires'] : [], `tokens ${action}`);
  const order = action === 'create' ? orderFrom(name!, values) : undefined;
  const asked = { collector: collectorClient(values, io), json: values.json, io };
  if (order) await create(asked, order);
  else if (action === 'revoke') await revoke(asked, name!);
  else await list(asked);
  return EXIT.done;
}

interface Asked {
  readonly collector: CollectorClient;
  readonly json: boolean;
  readonly io: Io;
}

interface Values {
  readonly kind?: string | undefined;
  readonly claim?: readonly string[] | undefined;
  readonly expires?: string | undefined;
}

function orderFrom(name: string, { kind, claim = [], expires }: Values): TokenOrder {
  return { name, kind: kindFrom(kind), claims: claimsFrom(claim), for_ms: durationFrom(expires) };
}

function kindFrom(text: string | undefined): TokenKind {
  const kind = TOKEN_KINDS.find((known) => known === text);
  if (kind) return kind;
  throw new UsageError(`Say what it may do: --kind ${TOKEN_KINDS.join(', ')}.`);
}

function claimsFrom(texts: readonly string[]): Claims {
  const claims = new Map<string, string[]>();
  for (const text of texts) {
    const [, attribute, value] = /^([^=]+)=(.+)$/s.exec(text) ?? [];
    if (attribute === undefined || value === undefined)
      throw new UsageError(`--claim ${text}: write ATTRIBUTE=VALUE, such as agent=scout.`);
    claims.set(attribute, [...(claims.get(attribute) ?? []), value]);
  }
  return Object.fromEntries(claims);
}

function durationFrom(text: string | undefined): number | null {
  if (text === undefined) return null;
  const read = readDuration(text);
  if ('mistake' in read) throw new UsageError(`--expires: ${read.mistake}.`);
  if (read.value === 0) throw new UsageError('--expires: write more than zero.');
  return read.value;
}

async function create({ collector, json, io }: Asked, order: TokenOrder): Promise<void> {
  const made = await collector.post<TokenMade>('/v1/tokens', order);
  io.stdout(json ? `${JSON.stringify(made, null, 2)}\n` : `${made.token}\n`);
}

async function revoke({ collector, json, io }: Asked, name: string): Promise<void> {
  await collector.delete(`/v1/tokens/${encodeURIComponent(name)}`);
  io.stdout(json ? '{}\n' : `Token ${name} is revoked.\n`);
}

async function list({ collector, json, io }: Asked): Promise<void> {
  const lines = await collector.get<TokenLine[]>('/v1/tokens');
  if (json) return io.stdout(`${JSON.stringify(lines, null, 2)}\n`);
  const cells = ({ name, kind, claims, created_by, created_at, expires_at }: TokenLine) => [
    name,
    kind,
    claimsText(claims),
    created_by,
    created_at,
    expires_at ?? 'it is revoked',
  ];
  io.stdout(table([['NAME', 'KIND', 'CLAIMS', 'BY', 'SINCE', 'UNTIL'], ...lines.map(cells)]));
}
