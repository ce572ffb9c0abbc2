// A sidecar's token that speaks for some agents alone: every record it sends must be of one of them, and every link of a
// chain. Nothing is written anew here, for records are sealed: a request that holds another's is refused whole.

import { parseChainRanges } from '../../contract/chain-ranges.ts';
import { compileName } from '../../contract/rules/glob.ts';
import type { Binding } from './claims.ts';
import { textOf } from './key-value.ts';
import { Unacceptable } from './unacceptable.ts';

/** `agents`: names, or patterns with `*`. */
export function recordsBindingOf(agents: readonly string[]): Binding {
  const matchers = agents.map(compileName);
  const speaksFor = (agent: string): boolean => matchers.some((matches) => matches(agent));
  const refusal = `this token sends records of ${agents.join(', ')} alone, as traces`;
  return (signal, request, { owners, chains }) => {
    if (
      signal !== 'traces' ||
      !ownersIn(request, owners).every(speaksFor) ||
      !sealersIn(chains).every(speaksFor)
    )
      throw new Unacceptable(403, refusal);
    return { request, overruled: 0 };
  };
}

/** Nobody's name, and so nobody's record. */
const UNREADABLE = '';

/** Of `outrider.agent` and `outrider.audit.stream`, which begins with the agent's name. */
function ownersIn(request: Buffer, owners: readonly number[]): string[] {
  const written = new Set<string>(); // in most requests two, again and again
  for (let at = 0; at < owners.length; at += 2)
    written.add(request.toString('latin1', owners[at], owners[at + 1]));
  return [...written].map((keyValue) => agentOf(textOf(Buffer.from(keyValue, 'latin1'))));
}

const sealersIn = (chains: readonly string[]): string[] =>
  chains.flatMap((text) => parseChainRanges(text)?.map(({ stream }) => agentOf(stream)) ?? [UNREADABLE]);

const agentOf = (name: string | null): string => name?.split('/', 1)[0] ?? UNREADABLE;
