-- Dead letters: calls that failed for good or whose outcome is unknown, until they come through, or somebody says what becomes of them.

create table dead_letters (
  -- the id of the first call
  letter_id text primary key,
  agent text not null,
  task text not null,
  upstream text not null,
  -- what makes a later call the same call; empty where nothing does
  call_digest text not null,
  kind text not null check (kind in ('failed', 'outcome_unknown', 'invalid_input')),
  state text not null default 'open'
    check (state in ('open', 'queued', 'replaying', 'replayed', 'recovered', 'discarded')),
  since bigint not null,
  last_seen bigint not null,
  calls bigint not null default 1,
  folded bigint not null default 0,
  -- of the call that failed last, as the store has it
  facts jsonb not null,
  -- names of what is kept, and why nothing is
  request text not null default '',
  answer text not null default '',
  not_kept text not null default '',
  -- grows with each replay; what is said under an older number is not heard
  attempt integer not null default 0,
  asked_by text not null default '',
  -- queued: until when somebody may take it. replaying: until when its sidecar is believed to run it
  until bigint,
  instance text not null default '',
  result jsonb,
  closed_at bigint,
  closed_by text not null default '',
  reason text not null default ''
);
create index dead_letters_waiting on dead_letters (agent, task, call_digest)
  where state in ('open', 'queued', 'replaying');
create index dead_letters_by_time on dead_letters (last_seen);

-- The failed calls of each letter: a record that is read twice is counted once.
create table dead_letter_calls (
  call_id text primary key,
  letter_id text not null references dead_letters on delete cascade,
  at bigint not null,
  facts jsonb not null
);
create index dead_letter_calls_of on dead_letter_calls (letter_id, at);

-- Up to when the store's records were read; one row.
create table dead_letter_reader (read_until bigint not null);
insert into dead_letter_reader values (0);

-- What is kept of requests and answers, by the SHA-256 of its bytes, apart from all that names them.
create table kept_bodies (
  sha256 text primary key,
  bytes bytea not null,
  kept_at bigint not null
);
create index kept_bodies_by_time on kept_bodies (kept_at);

-- Closes a letter for good and says so. What was kept for it alone is erased where `erase` says so.
create function close_dead_letter(
  of_letter text, to_state text, by_actor text, why text, erase boolean, now_ms bigint
) returns void language plpgsql as $$
declare
  letter dead_letters;
begin
  update dead_letters set state = to_state, closed_at = now_ms, closed_by = by_actor, reason = why, until = null
    where letter_id = of_letter returning * into letter;
  if erase then
    update dead_letters set request = '', answer = '', not_kept = 'erased' where letter_id = of_letter and request <> '';
    delete from kept_bodies b where b.sha256 in (letter.request, letter.answer)
      and not exists (select from dead_letters d where b.sha256 in (d.request, d.answer));
  end if;
  perform note_event('dead_letter_' || to_state, by_actor, letter.agent, why,
    jsonb_build_object('letter', of_letter, 'task', letter.task, 'upstream', letter.upstream,
      'target', letter.facts ->> 'target', 'kind', letter.kind, 'calls', letter.calls), now_ms);
end $$;

-- The letter that a failed call belongs to: the one it replays, the same call's, or where its agent has too many the
-- oldest of their kind. Null where it is the first of its own.
create function letter_for(call jsonb, open_max integer) returns text language plpgsql as $$
declare
  found_letter text;
begin
  select letter_id into found_letter from dead_letters where letter_id = call ->> 'replay_of';
  if found_letter is null then
    select letter_id into found_letter from dead_letters
      where agent = call ->> 'agent_id' and task = call ->> 'task_id' and call_digest = call ->> 'call_digest'
        and (call_digest <> '' or upstream = call ->> 'upstream' and facts ->> 'target' = call ->> 'target')
        and state in ('open', 'queued', 'replaying')
      order by since limit 1;
  end if;
  if found_letter is null and (select count(*) from dead_letters
      where agent = call ->> 'agent_id' and state = 'open') >= open_max then
    select letter_id into found_letter from dead_letters
      where agent = call ->> 'agent_id' and upstream = call ->> 'upstream' and kind = call ->> 'mark' and state = 'open'
      order by since limit 1;
  end if;
  return found_letter;
end $$;

-- Takes one failed call. True where it made a letter of its own.
create function take_dead_letter(call jsonb, open_max integer, now_ms bigint) returns boolean language plpgsql as $$
declare
  letter text;
  ended bigint := (call ->> 'ended_ms')::bigint;
begin
  if exists (select from dead_letter_calls where call_id = call ->> 'call_id') then
    return false;
  end if;
  letter := letter_for(call, open_max);
  if letter is not null then
    insert into dead_letter_calls values (call ->> 'call_id', letter, ended, call);
    if exists (select from dead_letters where letter_id = letter and call_digest = call ->> 'call_digest'
        and task = call ->> 'task_id') then
      -- nothing is worse than not to know: a letter that may have happened once stays one
      update dead_letters set calls = calls + 1, last_seen = greatest(last_seen, ended), facts = call,
        kind = case when kind = 'outcome_unknown' then kind else call ->> 'mark' end,
        request = coalesce(nullif(call ->> 'request', ''), request),
        answer = coalesce(nullif(call ->> 'answer', ''), answer),
        not_kept = case when call ->> 'request' = '' and request <> '' then not_kept else call ->> 'not_kept' end
        where letter_id = letter;
    else
      update dead_letters set folded = folded + 1, last_seen = greatest(last_seen, ended) where letter_id = letter;
    end if;
    return false;
  end if;
  if (select count(*) from dead_letters where agent = call ->> 'agent_id' and state = 'open') >= open_max then
    perform close_dead_letter(letter_id, 'discarded', 'collector', 'its agent has too many open letters', true, now_ms)
      from (select letter_id from dead_letters where agent = call ->> 'agent_id' and state = 'open'
        order by since limit 1) as oldest;
  end if;
  insert into dead_letters (letter_id, agent, task, upstream, call_digest, kind, since, last_seen, facts,
      request, answer, not_kept)
    values (call ->> 'call_id', call ->> 'agent_id', call ->> 'task_id', call ->> 'upstream', call ->> 'call_digest',
      call ->> 'mark', ended, ended, call, call ->> 'request', call ->> 'answer', call ->> 'not_kept');
  insert into dead_letter_calls values (call ->> 'call_id', call ->> 'call_id', ended, call);
  perform note_event('dead_letter_arrived', 'collector', call ->> 'agent_id', '',
    jsonb_build_object('letter', call ->> 'call_id', 'task', call ->> 'task_id', 'upstream', call ->> 'upstream',
      'target', call ->> 'target', 'kind', call ->> 'mark', 'error_type', call ->> 'error_type'), now_ms);
  return true;
end $$;

-- The same call came through: whoever waits for it need not.
create function recover_dead_letters(call jsonb, now_ms bigint) returns void language sql as $$
  select close_dead_letter(letter_id, 'recovered', 'collector', 'the same call came through', true, now_ms)
    from dead_letters
    where agent = call ->> 'agent_id' and task = call ->> 'task_id' and call_digest = call ->> 'call_digest'
      and state in ('open', 'queued') and call ->> 'call_digest' <> ''
      and last_seen <= (call ->> 'ended_ms')::bigint
$$;

-- Takes calls of the store in the order in which they ended; all of it or nothing. Returns how many letters are new.
create function take_dead_letters(calls jsonb, open_max integer, read_until_ms bigint, now_ms bigint)
returns bigint language plpgsql as $$
declare
  call jsonb;
  arrived bigint := 0;
begin
  perform pg_advisory_xact_lock(4320);
  for call in select value from jsonb_array_elements(calls) with ordinality order by ordinality loop
    if call ->> 'mark' = 'recovered' then
      perform recover_dead_letters(call, now_ms);
    elsif take_dead_letter(call, open_max, now_ms) then
      arrived := arrived + 1;
    end if;
  end loop;
  update dead_letter_reader set read_until = greatest(read_until, read_until_ms);
  return arrived;
end $$;

-- Discards a letter that waits. Returns what came of it: `done`, `unknown_letter`, or the state that stands against it.
create function discard_dead_letter(of_letter text, by_actor text, why text, now_ms bigint)
returns text language plpgsql as $$
declare
  now_state text;
begin
  select state into now_state from dead_letters where letter_id = of_letter for update;
  if now_state is null then return 'unknown_letter'; end if;
  if now_state not in ('open', 'queued') then return now_state; end if;
  perform close_dead_letter(of_letter, 'discarded', by_actor, why, true, now_ms);
  return 'done';
end $$;

-- Forgets closed letters, bodies that are too old, and all but the last calls of each letter once no record of them can
-- come again.
create function tidy_dead_letters(
  closed_before bigint, bodies_before bigint, calls_before bigint, calls_kept integer
) returns void language sql as $$
  delete from dead_letters where closed_at < closed_before;
  update dead_letters set not_kept = 'erased', request = '', answer = ''
    where last_seen < bodies_before and (request <> '' or answer <> '');
  delete from kept_bodies where kept_at < bodies_before;
  delete from dead_letter_calls c using (
    select call_id, row_number() over (partition by letter_id order by at desc) as place from dead_letter_calls
  ) as ranked where ranked.call_id = c.call_id and place > calls_kept and c.at < calls_before;
$$;
