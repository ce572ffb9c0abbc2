// CONNECT: the authority is read strictly, nothing may be sent ahead of our answer, and what the connection becomes is
// decided before it is given. A refusal is an ordinary answer with a body that says why.

import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { Refusal } from '../../contract/refusals.ts';
import { isLoopback } from '../../kit/listen.ts';
import { type Accepted, learn } from '../call.ts';
import type { Way } from '../way-through.ts';
import { type Authority, isSame, readAuthority } from './authority.ts';
import { checkHead } from './head.ts';
import type { Interception } from './intercept.ts';
import { SELF_CHECK_HOST } from './self-check.ts';

export interface Connecting {
  /** Throws Refusal where neither way is open. */
  wayThrough(accepted: Accepted, to: Authority): Way;
  carry(accepted: Accepted): Promise<void>;
  readonly interception: Interception;
}

const TUNNELS_PER_AGENT_MAX = 256;
const TUNNELS_MAX = 1_024;

/** Takes a CONNECT. Throws Refusal, then nothing was answered yet. */
export function createConnect(use: Connecting): (accepted: Accepted, socket: Socket, head: Buffer) => void {
  const tunnels = createCap(TUNNELS_PER_AGENT_MAX, TUNNELS_MAX);
  return (accepted, socket, head) => {
    const { request } = accepted;
    const to = readAuthority(request.url ?? '');
    learn(accepted, { to: { kind: 'tunnel', ...to } });
    const host = checkHead(request);
    checkConnect(request, head);
    if (host !== '' && !isSame(host, to, 'https'))
      throw bad('authority_mismatch', 'The Host header of a CONNECT must say what it connects to.');
    if (isOwn(socket, to))
      throw new Refusal('destination_forbidden', 'A tunnel may not lead back into Outrider.', {
        reason: 'self_connect',
        facts: { target: `${to.host}:${to.port}` },
      });
    if (to.host === SELF_CHECK_HOST || use.wayThrough(accepted, to) === 'intercept')
      return use.interception.begin(accepted, socket, to);
    const agent = agentOf(accepted);
    tunnels.take(agent);
    socket.once('close', () => tunnels.giveBack(agent));
    void use.carry(accepted);
  };
}

function checkConnect(request: IncomingMessage, head: Buffer): void {
  const { headers } = request;
  if (headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined)
    throw bad('connect_body', 'A CONNECT has no body.');
  if (head.length > 0) throw bad('early_data', 'Nothing may be sent before a CONNECT is answered.');
}

const LOOPBACK_NAMES = new Set(['localhost', '[::1]']);

/** The very port the agent is talking to; every other of ours is found out by its address when it is dialled. */
function isOwn({ localPort }: Socket, { host, port }: Authority): boolean {
  return port === localPort && (LOOPBACK_NAMES.has(host) || isLoopback(host));
}

const agentOf = (accepted: Accepted & { agent?: { name: string } }): string => accepted.agent?.name ?? '';

interface Cap {
  /** Throws Refusal `rate_limited`. */
  take(agent: string): void;
  giveBack(agent: string): void;
}

function createCap(perAgentMax: number, max: number): Cap {
  const open = new Map<string, number>();
  let all = 0;
  return {
    take(agent) {
      const own = open.get(agent) ?? 0;
      if (own >= perAgentMax || all >= max) {
        const sentence = `${own} tunnels of ${agent} are open, and ${all} in all.`;
        throw new Refusal('rate_limited', sentence, { reason: 'tunnels', retryAfterSeconds: 1 });
      }
      open.set(agent, own + 1);
      all += 1;
    },
    giveBack(agent) {
      const left = (open.get(agent) ?? 1) - 1;
      if (left > 0) open.set(agent, left);
      else open.delete(agent);
      all -= 1;
    },
  };
}

function bad(reason: string, sentence: string): Refusal {
  return new Refusal('bad_request', sentence, { reason });
}
