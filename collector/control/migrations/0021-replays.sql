-- Replays of dead letters: ordered by somebody, taken by exactly one sidecar, fenced by a number, never repeated by themselves.

-- Queues a letter. Returns `done`, `unknown_letter`, `may_have_happened`, `not_kept`, or the state that stands against it.
create function ask_replay(of_letter text, even_if boolean, until_ms bigint, by_actor text, now_ms bigint)
returns text language plpgsql as $$
declare
  letter dead_letters;
begin
  select * into letter from dead_letters where letter_id = of_letter for update;
  if not found then return 'unknown_letter'; end if;
  if letter.state <> 'open' then return letter.state; end if;
  if letter.request = '' or letter.not_kept <> '' or not exists (select from kept_bodies where sha256 = letter.request) then
    return 'not_kept';
  end if;
  if letter.kind = 'outcome_unknown' and not even_if then return 'may_have_happened'; end if;
  update dead_letters set state = 'queued', until = until_ms, asked_by = by_actor, instance = '', result = null
    where letter_id = of_letter;
  perform note_event('dead_letter_replay_asked', by_actor, letter.agent, '',
    jsonb_build_object('letter', of_letter, 'task', letter.task, 'upstream', letter.upstream,
      'target', letter.facts ->> 'target', 'kind', letter.kind), now_ms);
  return 'done';
end $$;

-- Gives the oldest that waits for this agent to one instance, under the next number. None where nothing waits.
create function claim_replay(of_agent text, of_instance text, until_ms bigint, now_ms bigint)
returns setof dead_letters language sql as $$
  update dead_letters set state = 'replaying', attempt = attempt + 1, instance = of_instance, until = until_ms
    where letter_id = (select letter_id from dead_letters
      where agent = of_agent and state = 'queued' and until > now_ms order by since limit 1 for update skip locked)
    returning *
$$;

-- It still runs. False where it is not this instance's, or no longer.
create function renew_replay(of_letter text, of_attempt integer, of_instance text, until_ms bigint)
returns boolean language sql as $$
  with renewed as (
    update dead_letters set until = until_ms
      where letter_id = of_letter and attempt = of_attempt and instance = of_instance and state = 'replaying'
      returning 1
  ) select exists (select from renewed)
$$;

-- What came of it. A sidecar that was taken for dead may still say so, as long as nobody else was given the letter.
create function end_replay(
  of_letter text, of_attempt integer, of_instance text, came jsonb, kept_answer text, now_ms bigint
) returns boolean language plpgsql as $$
declare
  letter dead_letters;
  through boolean := came ->> 'status' = 'success';
begin
  select * into letter from dead_letters where letter_id = of_letter and attempt = of_attempt
    and instance = of_instance and state in ('replaying', 'open') for update;
  if not found then return false; end if;
  update dead_letters set state = 'open', until = null, result = came || jsonb_build_object('at_ms', now_ms),
    answer = case when kept_answer <> '' then kept_answer else answer end where letter_id = of_letter;
  perform note_event('dead_letter_replayed', letter.asked_by, letter.agent, came ->> 'why',
    jsonb_build_object('letter', of_letter, 'task', letter.task, 'call', came ->> 'call_id',
      'status', came ->> 'status', 'http_status', came -> 'http_status', 'refusal', came ->> 'refusal'), now_ms);
  if through then
    update dead_letters set state = 'replayed', closed_at = now_ms, closed_by = letter.asked_by where letter_id = of_letter;
  end if;
  return true;
end $$;

-- What nobody took in time waits for a person again, and so does what a sidecar took and never ended: then nobody knows
-- whether it happened. Returns how many.
create function expire_replays(now_ms bigint) returns bigint language plpgsql as $$
declare
  letter dead_letters;
  expired bigint := 0;
  why text;
begin
  for letter in select * from dead_letters where state in ('queued', 'replaying') and until <= now_ms for update loop
    why := case letter.state when 'queued' then 'no sidecar of the agent came in time'
      else 'the sidecar that replayed it was not heard of again' end;
    update dead_letters set state = 'open', until = null,
      kind = case letter.state when 'replaying' then 'outcome_unknown' else kind end,
      result = jsonb_build_object('at_ms', now_ms, 'status', 'failure', 'call_id', '', 'http_status', 0,
        'refusal', '', 'error_type', '', 'why', why)
      where letter_id = letter.letter_id;
    perform note_event('dead_letter_replayed', 'collector', letter.agent, why,
      jsonb_build_object('letter', letter.letter_id, 'task', letter.task, 'status', 'failure'), now_ms);
    expired := expired + 1;
  end loop;
  return expired;
end $$;
