// A machine, and the life of a process on it. Killed, a process does nothing more, whatever it was in the middle of;
// paused (SIGSTOP), time passes it by, and what came meanwhile happens when it goes on. Its wall clock may jump; its
// monotonic one never does.

import type { Clock } from '../../../kit/clock.ts';
import type { World } from './world.ts';

/** One process from its start to its death. */
export interface Life {
  readonly clock: Clock;
  readonly alive: boolean;
  readonly paused: boolean;
  /** Runs it in this process: now, when it goes on, or never. */
  deliver(call: () => void): void;
}

export interface Machine {
  readonly name: string;
  /** Null while no process runs. */
  readonly life: Life | null;
  /** When it last began, ended, stood still or jumped, in true time. */
  readonly changedMs: number;
  start(): Life;
  kill(): void;
  pause(): void;
  resume(): void;
  /** Moves the wall clock. */
  jump(byMs: number): void;
  /** Milliseconds since 1970, as this machine believes. */
  wallMs(): number;
}

/** `startMs`: what every clock showed when the world began. */
export function createMachine(world: World, name: string, startMs: number): Machine {
  let offsetMs = 0;
  let changedMs = 0;
  let current: { alive: boolean; paused: boolean; backlog: (() => void)[]; life: Life } | null = null;

  const begin = (): Life => {
    const state = { alive: true, paused: false, backlog: [] as (() => void)[] };
    const bornMs = world.nowMs();
    const deliver = (call: () => void): void => {
      if (!state.alive) return;
      if (state.paused) state.backlog.push(call);
      else call();
    };
    const life: Life = {
      clock: {
        nowMs: () => machine.wallMs(),
        monotonicMs: () => world.nowMs() - bornMs,
        after: (delayMs, call) => {
          let cancelled = false;
          const cancel = world.after(state.alive ? delayMs : 0, () => deliver(() => !cancelled && call()));
          return () => {
            cancelled = true;
            cancel();
          };
        },
      },
      get alive() {
        return state.alive;
      },
      get paused() {
        return state.paused;
      },
      deliver,
    };
    current = Object.assign(state, { life });
    return life;
  };

  const machine: Machine = {
    name,
    get life() {
      return current?.life ?? null;
    },
    get changedMs() {
      return current?.paused ? world.nowMs() : changedMs;
    },
    start() {
      changedMs = world.nowMs();
      return begin();
    },
    kill() {
      changedMs = world.nowMs();
      if (current) current.alive = false;
      current = null;
    },
    pause() {
      if (current) current.paused = true;
    },
    resume() {
      if (!current) return;
      changedMs = world.nowMs();
      current.paused = false;
      const { life } = current;
      for (const call of current.backlog.splice(0)) world.after(0, () => life.deliver(call));
    },
    jump(byMs) {
      offsetMs += byMs;
      changedMs = world.nowMs();
    },
    wallMs: () => Math.floor(startMs + world.nowMs() + offsetMs),
  };
  return machine;
}
