// Calls as they end, newest first; filtered, paused, paged back, and each leading to its trace.

import { type ReactNode, useCallback, useEffect, useRef, useState } from 'react';
import { STATUSES } from '../../../../contract/attributes.ts';
import { REFUSALS } from '../../../../contract/refusals.ts';
import { plural } from '../format.ts';
import { useKeys } from '../keys.ts';
import { CallsTable } from '../parts/calls-table.tsx';
import { RangePicker, rangeWords } from '../parts/range-picker.tsx';
import { Failed, Loading, Nothing } from '../parts/states.tsx';
import { rangeOf, replaceQuery } from '../route.ts';
import { type CallFilter, useCalls } from '../use-calls.ts';

export function CallsPage({ query }: { readonly query: URLSearchParams }): ReactNode {
  const range = rangeOf(query);
  const filter: CallFilter = {
    agent: query.get('agent') ?? '',
    status: query.get('status') ?? '',
    refusal: query.get('refusal') ?? '',
    task: query.get('task') ?? '',
    text: query.get('text') ?? '',
  };
  const [isPaused, setPaused] = useState(false);
  const { calls, fresh, waiting, failure, next, more, again } = useCalls(range, filter, isPaused);
  const isFiltered = Object.values(filter).some((value) => value !== '');
  return (
    <>
      <div className="page-head">
        <h1>Calls</h1>
        <p className="page-sub">Newest first, as they end</p>
        <RangePicker range={range} />
      </div>
      <Filters filter={filter} isPaused={isPaused} waiting={waiting} onPause={() => setPaused(!isPaused)} />
      {failure && calls !== undefined && (
        <p className="stale" role="alert">
          {failure} What you see is the last answer.
        </p>
      )}
      {calls === undefined ? (
        failure ? (
          <Failed sentence={failure} again={again} />
        ) : (
          <Loading />
        )
      ) : calls.length === 0 ? (
        <Nothing title={isFiltered ? 'No call matches' : 'No call yet'}>
          Nothing {isFiltered && 'like it '}ended in the last {rangeWords(range)}.
        </Nothing>
      ) : (
        <>
          <CallsTable calls={calls} fresh={fresh} />
          {next !== null && (
            <button type="button" className="more" onClick={more}>
              Older calls
            </button>
          )}
        </>
      )}
    </>
  );
}

const TYPED_AFTER_MS = 250;

function Filters({
  filter,
  isPaused,
  waiting,
  onPause,
}: {
  readonly filter: CallFilter;
  readonly isPaused: boolean;
  readonly waiting: number;
  readonly onPause: () => void;
}): ReactNode {
  const search = useRef<HTMLInputElement>(null);
  useKeys((event) => {
    if (event.key !== '/') return;
    event.preventDefault();
    search.current?.focus();
  });
  return (
    <search className="filters">
      <Typed label="Anything in it" name="text" value={filter.text} input={search} hint="/" />
      <Typed label="Agent" name="agent" value={filter.agent} />
      <Typed label="Task" name="task" value={filter.task} />
      <Choice label="Status" name="status" value={filter.status} of={STATUSES} />
      <Choice label="Refusal" name="refusal" value={filter.refusal} of={Object.keys(REFUSALS)} />
      <button type="button" className="pause" aria-pressed={isPaused} onClick={onPause}>
        {isPaused ? 'Resume' : 'Pause'}
        {isPaused && waiting > 0 && <span className="pause-count"> {plural(waiting, 'new call')}</span>}
      </button>
    </search>
  );
}

/** Typed text takes hold when the typing rests. */
function Typed({
  label,
  name,
  value,
  input,
  hint,
}: {
  readonly label: string;
  readonly name: keyof CallFilter;
  readonly value: string;
  readonly input?: React.RefObject<HTMLInputElement | null>;
  readonly hint?: string;
}): ReactNode {
  const [typed, setTyped] = useState(value);
  useEffect(() => setTyped(value), [value]);
  const settle = useCallback(() => {
    if (typed !== value) replaceQuery({ [name]: typed });
  }, [typed, value, name]);
  useEffect(() => {
    const timer = setTimeout(settle, TYPED_AFTER_MS);
    return () => clearTimeout(timer);
  }, [settle]);
  return (
    <label className="filter">
      <span>
        {label}
        {hint && <kbd>{hint}</kbd>}
      </span>
      <input
        ref={input}
        type="search"
        name={name}
        value={typed}
        autoComplete="off"
        spellCheck={false}
        maxLength={256}
        onChange={(event) => setTyped(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter') settle();
          if (event.key !== 'Escape') return;
          if (typed === '') event.currentTarget.blur();
          setTyped('');
        }}
      />
    </label>
  );
}

function Choice({
  label,
  name,
  value,
  of,
}: {
  readonly label: string;
  readonly name: keyof CallFilter;
  readonly value: string;
  readonly of: readonly string[];
}): ReactNode {
  return (
    <label className="filter">
      <span>{label}</span>
      <select name={name} value={value} onChange={(event) => replaceQuery({ [name]: event.target.value })}>
        <option value="">any</option>
        {of.map((each) => (
          <option key={each}>{each}</option>
        ))}
      </select>
    </label>
  );
}
