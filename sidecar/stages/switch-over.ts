// The connection became what it was asked to be: a tunnel, or a WebSocket. From here on bytes go both ways, and the
// call ends once, when either side has closed. A WebSocket's frames are checked as they pass and are the upstream's and
// the agent's own; of a tunnel only the host was judged.

import type { Socket } from 'node:net';
import { answerHead, holdsSecret } from '../answer-head.ts';
import type { Answered } from '../call.ts';
import { NOTHING_METERED } from '../dialects/stream-meter.ts';
import { type Passing, relay } from '../relay.ts';
import { secretGuard } from '../secret-guard.ts';
import type { Trail } from '../trail.ts';
import { closeFrame, FrameError, frameChecker } from '../websocket-frames.ts';

const TUNNEL_OPEN = 'HTTP/1.1 200 Connection Established\r\n\r\n';

export function switchOver(answered: Answered, upstream: Socket, trail: Trail): void {
  const { answer, response, outbound } = answered;
  trail.answering(answer, () => NOTHING_METERED);
  const agent = response.socket;
  if (!agent || !mayOpen(answered)) {
    upstream.destroy();
    trail.broken(null);
    agent?.destroy();
    return;
  }
  response.detachSocket(agent);
  agent.write(outbound.becomes === 'tunnel' ? TUNNEL_OPEN : switchingHead(answered));
  const { idleMs, totalMs } = answered.upstream.timeouts;
  const passing = outbound.becomes === 'tunnel' ? UNREAD : framesOf(answered, agent);
  const end = relay({
    agent,
    upstream,
    passing,
    idleMs,
    totalMs,
    ended(how) {
      if (how === 'closed') trail.answered();
      else if (how === 'agent') trail.hangUp();
      else trail.broken(null);
    },
  });
  trail.onInterrupt((refusal) => {
    trail.interrupted(refusal, passing.closed());
    end('agent');
  });
}

const UNREAD: Frames = { toUpstream: (bytes) => bytes, toAgent: (bytes) => bytes, closed: () => true };

/** What was not offered was not agreed on, and no head hands the agent a secret. */
function mayOpen({ answer, outbound }: Answered): boolean {
  return (
    answer.header('sec-websocket-extensions') === undefined && !holdsSecret(answer.headers, outbound.secret)
  );
}

function switchingHead(answered: Answered): string {
  const lines = ['HTTP/1.1 101 Switching Protocols', 'connection: upgrade', 'upgrade: websocket'];
  const headers = answerHead(answered, false);
  for (let i = 0; i < headers.length; i += 2) lines.push(`${headers[i]}: ${headers[i + 1]}`);
  return `${lines.join('\r\n')}\r\n\r\n`;
}

interface Frames extends Passing {
  /** Tells the agent that it is over; false where a frame is under way. A tunnel may close at any byte. */
  closed(): boolean;
}

/** Policy violation (RFC 6455 § 7.4.1). */
const STOPPED = 1008;

function framesOf({ outbound, policy }: Answered, agent: Socket): Frames {
  const messageBytesMax = policy.config.limits.bodyBytesMax;
  const fromAgent = frameChecker({ masked: true, messageBytesMax });
  const fromUpstream = frameChecker({ masked: false, messageBytesMax });
  const guard = secretGuard(outbound.secret);
  const close = (status: number): boolean => {
    if (!fromUpstream.between) return false; // in the middle of a frame there is no room for one of ours
    agent.write(closeFrame(status));
    return true;
  };
  return {
    closed: () => close(STOPPED),
    toUpstream: (bytes) => fromAgent.push(bytes),
    toAgent(bytes) {
      const clean = guard.pass(fromUpstream.push(bytes));
      if (clean === null) throw new FrameError(1011, 'a secret in a message');
      return clean;
    },
    refused(failure) {
      if (failure instanceof FrameError) close(failure.status);
    },
  };
}
