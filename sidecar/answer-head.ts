// The head of an answer as the agent gets it: the upstream's own, without hop-by-hop headers, with ours added.

import type { Answered } from './call.ts';
import type { Left } from './state/leases/outlook.ts';

/** Hop-by-hop headers of an answer. */
const DROPPED = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

type Overlay = Readonly<Record<string, string | null>>;
const NOTHING: readonly [string, string | null][] = [];

/**
 * A flat list of names and values; `lengthChanges` where what goes out is not byte for byte what came in. `over` is set
 * on top of the upstream's own, null takes one out.
 */
export function answerHead(
  answered: Answered,
  lengthChanges: boolean,
  over: Overlay | null = null,
): string[] {
  const { answer, id, agent, judgement, hold } = answered;
  const headers: string[] = [];
  for (let i = 0; i < answer.headers.length; i += 2) {
    const name = answer.headers[i]!.toLowerCase();
    if (
      DROPPED.has(name) ||
      name.startsWith('x-outrider-') ||
      (lengthChanges && name === 'content-length') ||
      (over !== null && Object.hasOwn(over, name))
    )
      continue;
    headers.push(answer.headers[i]!, answer.headers[i + 1]!);
  }
  for (const [name, value] of over ? Object.entries(over) : NOTHING)
    if (value !== null) headers.push(name, value);
  const passes = agent.mode === 'observe' && judgement.verdict !== 'notify';
  headers.push('x-outrider-call', id, 'x-outrider-verdict', passes ? 'allow' : judgement.verdict);
  if (answered.later?.asked) headers.push('x-outrider-served', servedBy(answered));
  if (hold) pushLeft(headers, hold.left());
  return headers;
}

const servedBy = ({ upstream, description }: Answered): string =>
  `${upstream.name}/${description?.model ?? ''}`;

/** Of the tightest budget on the call's path: dollars as a decimal fraction, and tokens where a budget counts them. */
function pushLeft(headers: string[], { nanodollars, tokens }: Left): void {
  if (nanodollars !== null) headers.push('x-outrider-budget-remaining', decimalDollars(nanodollars));
  if (tokens !== null) headers.push('x-outrider-tokens-remaining', tokens.toString());
}

/** 12340000999n → `12.340000`: six decimals, towards zero. */
function decimalDollars(nanodollars: bigint): string {
  const digits = (nanodollars / 1000n).toString().padStart(7, '0');
  return `${digits.slice(0, -6)}.${digits.slice(-6)}`;
}

export function holdsSecret(headers: readonly string[], secret: Buffer | null): boolean {
  if (secret === null) return false;
  const text = secret.toString('latin1');
  return headers.some((value) => value.includes(text));
}
