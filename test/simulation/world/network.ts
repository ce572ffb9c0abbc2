// The network between machines: every message takes its time, and may be lost, come twice, overtake another, or find
// the way cut. Messages are text: what cannot be written as JSON does not arrive.

import type { Life, Machine } from './machine.ts';
import type { World } from './world.ts';

export interface Network {
  /**
   * One round trip. Rejects when the server is not there, when it fails, or after `timeoutMs` of silence. The request
   * may reach the server twice, and its answer nobody.
   */
  ask<Q, A>(from: Caller, to: Machine, question: Q, serve: (question: Q) => Promise<A>): Promise<A>;
  /** One message without an answer. */
  tell(from: Machine, to: Machine, call: () => void): void;
  /** From now on, nothing passes between them. */
  cut(a: Machine, b: Machine): void;
  heal(): void;
  weather: Weather;
}

export interface Caller {
  readonly machine: Machine;
  readonly life: Life;
  readonly timeoutMs: number;
}

export interface Weather {
  readonly lost: number;
  readonly twice: number;
  /** Of messages that take up to `lateMsMax` instead of up to `usualMsMax`. */
  readonly late: number;
  readonly usualMsMax: number;
  readonly lateMsMax: number;
}

export const FAIR: Weather = { lost: 0, twice: 0, late: 0, usualMsMax: 5, lateMsMax: 5 };
export const FOUL: Weather = { lost: 0.15, twice: 0.1, late: 0.1, usualMsMax: 60, lateMsMax: 9_000 };

export function createNetwork(world: World): Network {
  const random = world.random.fork();
  const cuts = new Set<string>();
  const linkOf = (a: Machine, b: Machine): string => [a.name, b.name].sort().join(' ');

  const pass = (a: Machine, b: Machine, arrive: () => void): void => {
    const { weather } = network;
    const copies = random.chance(weather.twice) ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      const late = random.chance(weather.late);
      const delayMs = random.between(0, (late ? weather.lateMsMax : weather.usualMsMax) * 10) / 10;
      if (random.chance(weather.lost)) continue;
      world.after(delayMs, () => {
        if (!cuts.has(linkOf(a, b))) arrive();
      });
    }
  };

  const network: Network = {
    weather: FAIR,
    ask({ machine, life, timeoutMs }, to, question, serve) {
      const text = JSON.stringify(question);
      return new Promise((resolve, reject) => {
        const back = (call: () => void) => pass(to, machine, () => life.deliver(call));
        life.clock.after(timeoutMs, () => reject(new Error('no answer in time')));
        pass(machine, to, () => {
          const server = to.life;
          if (!server) return back(() => reject(new Error('connection refused')));
          server.deliver(() => {
            const answered = serve(JSON.parse(text) as typeof question);
            answered.then(
              (answer) => server.alive && back(() => resolve(JSON.parse(JSON.stringify(answer)))),
              (failure) => server.alive && back(() => reject(failure as Error)),
            );
          });
        });
      });
    },
    tell: (from, to, call) => pass(from, to, () => to.life?.deliver(call)),
    cut(a, b) {
      cuts.add(linkOf(a, b));
    },
    heal() {
      cuts.clear();
      network.weather = FAIR;
    },
  };
  return network;
}
