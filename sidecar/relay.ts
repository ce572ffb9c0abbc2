// Bytes between an agent and an upstream, both ways, no faster than the other side takes them. Whatever ends it ends it
// once, for both.

import type { Socket } from 'node:net';

/** `closed` by either side or at a time limit; else whose bytes could not pass, or whose connection broke. */
export type Ending = 'closed' | 'agent' | 'upstream';

export interface Passing {
  /** What goes on of what came. Throws where it must not: then both sides are closed. */
  toUpstream(bytes: Buffer): Buffer;
  toAgent(bytes: Buffer): Buffer;
  /** Told what was thrown, before the agent's side is closed. */
  refused?(failure: unknown): void;
}

export interface Relay {
  readonly agent: Socket;
  readonly upstream: Socket;
  readonly passing: Passing;
  /** Without a byte from either side. */
  readonly idleMs: number;
  readonly totalMs: number;
  /** Once. */
  ended(how: Ending): void;
}

/** Returns how to end it from here. */
export function relay({ agent, upstream, passing, idleMs, totalMs, ended }: Relay): (how: Ending) => void {
  let over = false;
  const deadline = setTimeout(() => end('closed'), totalMs);
  deadline.unref();

  const end = (how: Ending): void => {
    if (over) return;
    over = true;
    clearTimeout(deadline);
    ended(how);
    agent.destroySoon(); // what was written before still arrives
    if (how === 'closed') upstream.destroySoon();
    else upstream.destroy();
  };

  const sideOf = (socket: Socket): Ending => (socket === agent ? 'agent' : 'upstream');

  const pass = (bytes: Buffer, from: Socket, to: Socket, through: (bytes: Buffer) => Buffer): void => {
    if (over) return;
    try {
      const clean = through(bytes);
      if (clean.length > 0 && !to.write(clean)) from.pause();
    } catch (failure) {
      passing.refused?.(failure);
      end(sideOf(from));
    }
  };

  const carry = (from: Socket, to: Socket, through: (bytes: Buffer) => Buffer): void => {
    from.on('data', (bytes: Buffer) => pass(bytes, from, to, through));
    to.on('drain', () => from.resume());
    // One side may have finished while the other still speaks, and before anyone listened to it.
    if (from.readableEnded) to.end();
    else from.on('end', () => to.end());
    from.on('error', () => end(sideOf(from)));
    from.on('close', () => end('closed'));
  };

  agent.setTimeout(idleMs, () => end('closed')); // what is written to it counts too
  carry(agent, upstream, passing.toUpstream);
  carry(upstream, agent, passing.toAgent);
  return end;
}
