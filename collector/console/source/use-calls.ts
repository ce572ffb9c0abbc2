// The list of calls: a page of what was, and on top of it what ends now. While paused, what comes is counted and waits.

import { useCallback, useEffect, useRef, useState } from 'react';
import type { CallLine, CallsAnswer, Range } from '../../../contract/console.ts';
import { AskFailed, ask } from './ask.ts';
import { useLive } from './live.tsx';
import { endSession } from './session.ts';

export interface CallFilter {
  readonly agent: string;
  readonly status: string;
  readonly refusal: string;
  readonly task: string;
  readonly text: string;
}

export interface Calls {
  /** Undefined until the first answer. */
  readonly calls: readonly CallLine[] | undefined;
  /** Ids of what came live, lately. */
  readonly fresh: ReadonlySet<string>;
  /** How many came while paused. */
  readonly waiting: number;
  readonly failure: string | null;
  readonly next: string | null;
  /** Asks for the page after the last one. */
  more(): void;
  /** Asks for the first page anew. */
  again(): void;
}

interface Listed {
  readonly key: string;
  readonly calls: readonly CallLine[];
  readonly next: string | null;
}

const SHOWN_MAX = 1_000;
const HELD_MAX = 1_000;
const MARKED_MAX = 10;
const NONE: ReadonlySet<string> = new Set();

export function useCalls(range: Range, filter: CallFilter, isPaused: boolean): Calls {
  const { hear, reopened } = useLive();
  const key = JSON.stringify([range, filter]);
  const [listed, setListed] = useState<Listed | null>(null);
  const [fresh, setFresh] = useState(NONE);
  const [held, setHeld] = useState<readonly CallLine[]>([]);
  const [failure, setFailure] = useState<string | null>(null);
  const [asked, setAsked] = useState(0);
  const asking = useRef('');

  const load = useCallback(async (of: string, after: string | null) => {
    asking.current = of;
    const [ofRange, ofFilter] = JSON.parse(of) as [Range, CallFilter];
    const query = new URLSearchParams({ range: ofRange, ...ofFilter, ...(after === null ? {} : { after }) });
    try {
      const { calls, next } = await ask<CallsAnswer>(`/v1/calls?${query}`);
      if (asking.current !== of) return;
      setFailure(null);
      setListed((before) => ({
        key: of,
        next,
        calls: after === null ? calls : [...(before?.calls ?? []), ...calls],
      }));
    } catch (thrown) {
      if (thrown instanceof AskFailed && thrown.status === 401) endSession();
      if (asking.current === of) setFailure(thrown instanceof Error ? thrown.message : String(thrown));
    }
  }, []);

  // biome-ignore lint/correctness/useExhaustiveDependencies: what was missed while the stream was away is asked for anew
  useEffect(() => {
    setHeld([]);
    setFresh(NONE);
    void load(key, null);
  }, [key, reopened, asked, load]);

  useEffect(
    () =>
      hear(({ calls, more }) => {
        const matching = calls.filter((call) => matches(call, filter)).reverse();
        if (matching.length > 0) setHeld((before) => [...matching, ...before].slice(0, HELD_MAX));
        if (more && !isPaused) void load(key, null);
      }),
    [hear, filter, isPaused, key, load],
  );

  useEffect(() => {
    if (isPaused || held.length === 0 || listed?.key !== key) return;
    setListed({ ...listed, calls: onTop(held, listed.calls) });
    // A list that is all marked marks nothing.
    setFresh(held.length > MARKED_MAX ? NONE : new Set(held.map(({ call_id }) => call_id)));
    setHeld([]);
  }, [isPaused, held, listed, key]);

  const current = listed?.key === key ? listed : null;
  return {
    calls: current?.calls,
    fresh,
    waiting: held.length,
    failure,
    next: current?.next ?? null,
    more: () => void (current && load(key, current.next)),
    again: () => setAsked((count) => count + 1),
  };
}

/** Newest first by their start, each once. */
function onTop(held: readonly CallLine[], calls: readonly CallLine[]): CallLine[] {
  const known = new Set(calls.map(({ call_id }) => call_id));
  return [...held.filter(({ call_id }) => !known.has(call_id)), ...calls]
    .sort((a, b) => (a.time < b.time ? 1 : a.time > b.time ? -1 : 0))
    .slice(0, SHOWN_MAX);
}

/** As the collector filters. */
function matches(call: CallLine, { agent, status, refusal, task, text }: CallFilter): boolean {
  const is = (wanted: string, value: string) => wanted === '' || wanted === value;
  const { target, model, rule, call_id, trace_id } = call;
  const all = [call.agent, target, model, call.task, call.refusal, rule, call_id, trace_id].join('\n');
  return (
    is(agent, call.agent) &&
    is(status, call.status) &&
    is(refusal, call.refusal) &&
    is(task, call.task) &&
    (text === '' || all.toLowerCase().includes(text.toLowerCase()))
  );
}
