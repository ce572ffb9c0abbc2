// Where an agent works: one job after the other, each in its own lineage. What its role does with a job is in work.ts; the
// desk gives it material to read, a model to ask and colleagues to hand the work to.

import { memberNamed } from '../plan.ts';
import type { HttpAnswer, Lineage, Thought, WayOut } from './way-out.ts';

/** What one agent hands another. */
export interface Job {
  readonly article: number;
  readonly caller: string;
  readonly depth: number;
  /** What has been found and written so far. */
  readonly material: string;
  /** The editor sent it back once. */
  readonly reworked: boolean;
  /** The caller waits for the answer; else it is told at once that the job was taken. */
  readonly waits: boolean;
}

export interface Desk {
  readonly name: string;
  readonly job: Job;
  /** Asks this agent's model about the first `bytes` of the material. */
  think(instruction: string, words: number, bytes: number, options?: Partial<Thought>): Promise<string>;
  /** Throws unless it is answered with 2xx. */
  call(method: string, upstream: string, path: string, body?: unknown): Promise<HttpAnswer>;
  /** Hands the work on and does not wait. */
  handOver(colleague: string, material: string, more?: { reworked?: boolean }): Promise<void>;
  /** Hands part of the work on and waits for what comes of it. */
  delegate(colleague: string, material: string): Promise<string>;
}

export function deskOf(name: string, job: Job, lineage: Lineage, out: WayOut): Desk {
  const { model } = memberNamed(name);
  const call = async (
    method: string,
    upstream: string,
    path: string,
    body?: unknown,
  ): Promise<HttpAnswer> => {
    const answer = await out.http(method, upstream, path, lineage, body);
    if (answer.status < 300) return answer;
    throw new Error(`${name}: ${method} ${upstream}${path} was answered ${answer.status} ${answer.refusal}`);
  };
  const hand = async (colleague: string, material: string, waits: boolean, reworked: boolean) => {
    const handed: Job = { ...job, caller: name, depth: job.depth + 1, material, waits, reworked };
    return call('POST', colleague, '/jobs', handed);
  };
  return {
    name,
    job,
    think: (instruction, words, bytes, options) =>
      out.think(model, { instruction, words, material: job.material.slice(0, bytes), ...options }, lineage),
    call,
    handOver: async (colleague, material, more) =>
      void (await hand(colleague, material, false, more?.reworked ?? job.reworked)),
    delegate: async (colleague, material) => {
      const { body } = await hand(colleague, material, true, job.reworked);
      return (body as { material: string }).material;
    },
  };
}
