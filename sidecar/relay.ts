// Bytes between an agent and an upstream, both ways, no faster than the other side takes them. Whatever ends it ends it
// once, for both.

import type { Socket } from 'node:net';

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
  /** Once; null where one side simply closed. */
  ended(failure: Error | null): void;
}

export function relay({ agent, upstream, passing, idleMs, totalMs, ended }: Relay): void {
  let over = false;
  const deadline = setTimeout(() => end(new Error('it lasted too long')), totalMs);
  deadline.unref();

  const end = (failure: Error | null): void => {
    if (over) return;
    over = true;
    clearTimeout(deadline);
    ended(failure);
    agent.destroySoon(); // what was written before still arrives
    if (failure) upstream.destroy();
    else upstream.destroySoon();
  };

  const pass = (bytes: Buffer, from: Socket, to: Socket, through: (bytes: Buffer) => Buffer): void => {
    if (over) return;
    try {
      const clean = through(bytes);
      if (clean.length > 0 && !to.write(clean)) from.pause();
    } catch (failure) {
      passing.refused?.(failure);
      end(failure as Error);
    }
  };

  const carry = (from: Socket, to: Socket, through: (bytes: Buffer) => Buffer): void => {
    from.on('data', (bytes: Buffer) => pass(bytes, from, to, through));
    to.on('drain', () => from.resume());
    from.on('end', () => to.end()); // one side may have finished while the other still speaks
    from.on('error', (failure) => end(failure));
    from.on('close', () => end(null));
  };

  agent.setTimeout(idleMs, () => end(new Error('nobody said anything'))); // what is written to it counts too
  carry(agent, upstream, passing.toUpstream);
  carry(upstream, agent, passing.toAgent);
}
