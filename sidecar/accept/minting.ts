// Interceptions cost a key and a signature for each host not seen of late, and a handshake each: an agent gets so many
// new hosts a second, and so many handshakes run at a time.

import { Refusal } from '../../contract/refusals.ts';

export interface Minting {
  /** Throws Refusal `rate_limited`; otherwise `done` follows once. */
  begin(agent: string, host: string): void;
  done(): void;
}

const NEW_HOSTS_PER_SECOND_MAX = 50;
const HANDSHAKES_MAX = 512;
const HOSTS_REMEMBERED_MAX = 256;
const WINDOW_MS = 1_000;

export function createMinting(monotonicMs: () => number): Minting {
  const known = new Set<string>();
  const counts = new Map<string, number>();
  let windowFromMs = 0;
  let running = 0;

  const countNew = (agent: string): void => {
    const now = monotonicMs();
    if (now - windowFromMs >= WINDOW_MS) {
      counts.clear();
      windowFromMs = now;
    }
    const count = counts.get(agent) ?? 0;
    if (count >= NEW_HOSTS_PER_SECOND_MAX)
      throw tooMany(`${agent} may connect to ${NEW_HOSTS_PER_SECOND_MAX} new hosts a second.`);
    counts.set(agent, count + 1);
  };

  return {
    begin(agent, host) {
      if (running >= HANDSHAKES_MAX) throw tooMany(`${HANDSHAKES_MAX} handshakes are under way.`);
      if (!known.delete(host)) countNew(agent);
      known.add(host); // the youngest is last
      if (known.size > HOSTS_REMEMBERED_MAX) known.delete(known.values().next().value!);
      running += 1;
    },
    done() {
      running -= 1;
    },
  };
}

function tooMany(sentence: string): Refusal {
  return new Refusal('rate_limited', sentence, { reason: 'interceptions', retryAfterSeconds: 1 });
}
