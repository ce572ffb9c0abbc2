// What is held apart until somebody looks: an agent, a task, a model, a tool, an upstream, or the whole fleet. What people
// and rules ask of the collector, and what it tells sidecars. Durations go over the wire beside the times of day, so that
// no clock but each process's own is believed.

import { compileName } from './rules/glob.ts';

/** In the order in which a refusal names them: the narrowest word on the agent first. */
export const QUARANTINE_KINDS = ['fleet', 'agent', 'task', 'upstream', 'model', 'tool'] as const;
export type QuarantineKind = (typeof QUARANTINE_KINDS)[number];

export const QUARANTINE_MS_MAX = 366 * 24 * 3_600_000;
export const QUARANTINES_MAX = 10_000;
export const REASON_CHARACTERS_MAX = 500;

/** POST /v1/quarantine. `subject` as people write it, see `readSubject`. */
export interface QuarantineOrder {
  readonly subject: string;
  readonly reason: string;
  /** Milliseconds; null lasts until it is lifted. */
  readonly for_ms: number | null;
}

/** POST /v1/quarantine/lift. */
export interface QuarantineLift {
  readonly subject: string;
  readonly reason?: string;
}

/** GET /v1/quarantine: one line for each subject. */
export interface QuarantineLine {
  readonly subject: string;
  readonly kind: QuarantineKind;
  readonly reason: string;
  readonly since: string;
  readonly until: string | null;
  /** Of `until`, from the moment of the answer. */
  readonly ms_left: number | null;
  /** Who set it: a join token's or session's name, or the rule that found it. */
  readonly actor: string;
  readonly by: 'person' | 'rule';
}

/** The answer to an order. `known`: whether the collector has heard of such a subject; a mistyped one holds nothing. */
export interface QuarantineSet extends QuarantineLine {
  readonly known: boolean;
}

/** GET /v1/events, event `quarantine`, and in each heartbeat's answer: another number than before says the list changed. */
export interface QuarantineNotice {
  readonly revision: number;
}

export interface QuarantineSubject {
  readonly kind: QuarantineKind;
  /** The agent of an agent or task, the upstream of all else; empty for the fleet. */
  readonly owner: string;
  /** Task, model or tool; empty elsewhere. */
  readonly name: string;
}

/**
 * `fleet`, `agent/NAME`, `task/AGENT/TASK`, `upstream/NAME`, `model/UPSTREAM/MODEL`, `tool/UPSTREAM/TOOL`. `*` in a name
 * stands for any run of characters; a task's, a model's or a tool's name may hold slashes. Undefined for anything else.
 */
export function readSubject(text: string): QuarantineSubject | undefined {
  const [word = '', owner = '', ...rest] = text.split('/');
  const kind = QUARANTINE_KINDS.find((known) => known === word);
  const name = rest.join('/');
  if (!kind) return undefined;
  if (kind === 'fleet') return text === 'fleet' ? { kind, owner: '', name: '' } : undefined;
  const narrow = kind === 'task' || kind === 'model' || kind === 'tool';
  return owner !== '' && (narrow ? name !== '' : rest.length === 0) ? { kind, owner, name } : undefined;
}

/** What is looked up for a subject: its text without the kind. */
export const keyOf = ({ owner, name }: QuarantineSubject): string =>
  name === '' ? owner : `${owner}/${name}`;

/** Whether a key is one of those the subject's own stands for. */
export const covers = (subject: QuarantineSubject): ((key: string) => boolean) => compileName(keyOf(subject));

export const SUBJECT_FORMS =
  'fleet, agent/NAME, task/AGENT/TASK, upstream/NAME, model/UPSTREAM/MODEL or tool/UPSTREAM/TOOL';
