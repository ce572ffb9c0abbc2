-- Holds at the ledger itself, for callers without a lease: taken by an id of the caller's own, settled once, corrected
-- after. Each stands on a lease that nobody renews, so the same steps move it and the same constraint binds it.

alter table leases drop constraint leases_scope_check;
alter table leases add constraint leases_scope_check check (scope in ('agent', 'offline', 'task', 'hold'));

create table holds (
  hold_id text primary key,
  lease_id text not null unique references leases,
  agent text not null,
  task text not null,
  -- Of what was asked: the same id with another is another hold's.
  content text not null,
  nanodollars numeric(30, 0) not null,
  tokens numeric(30, 0) not null,
  state text not null default 'held' check (state in ('held', 'posted', 'released', 'expired')),
  -- What settled it, to know a repeat by.
  settlement jsonb,
  opened_at bigint not null,
  expires_at bigint not null,
  settled_at bigint
);
create index holds_held on holds (expires_at) where state = 'held';

create function hold_line(of_id text) returns jsonb language sql stable as $$
  select jsonb_build_object('id', h.hold_id, 'agent', h.agent, 'task', nullif(h.task, ''), 'state', h.state,
    'held', jsonb_build_object('nanodollars', h.nanodollars::text, 'tokens', h.tokens::text),
    'posted', (select jsonb_object_agg(s.unit, s.posted::text) from slices s where s.lease_id = h.lease_id),
    'opened_at', h.opened_at, 'expires_at', h.expires_at, 'settled_at', h.settled_at)
  from holds h where h.hold_id = of_id
$$;

-- Takes a hold at all levels or at none. The same ask again is answered the same; the same id with other content is not.
-- ask: {at, id, content, agent, instance, task, amounts, expires_at, window_ends_at, path, path_digest, tasks_max,
-- grace_percent, grace_path}
create function take_hold(ask jsonb) returns jsonb language plpgsql as $$
declare
  now_ms bigint := (ask ->> 'at')::bigint;
  id text := ask ->> 'id';
  of_lease text := 'hold/' || (ask ->> 'id');
  known holds;
  blocked jsonb;
  obstructed jsonb;
  legs leg[];
  one leg;
begin
  perform pg_advisory_xact_lock(4319);
  perform expire_holds(now_ms);
  select * into known from holds where hold_id = id;
  if known.hold_id is not null then
    return jsonb_build_object('outcome', case when known.content = ask ->> 'content' then 'held' else 'id_conflict' end,
      'hold', hold_line(id));
  end if;
  if ask ->> 'task' <> '' then
    blocked := open_task(ask || '{"scope": "task"}');
    if blocked is not null then
      return blocked;
    end if;
  end if;

  legs := legs_on(ask -> 'path', now_ms);
  foreach one in array legs loop
    obstructed := case when is_learning(now_ms) then not_yet_learned(one.ids, amount(ask, 'amounts', one.unit))
      else blocking_of(one.ids, amount(ask, 'amounts', one.unit)) end;
    if blocked is null or obstructed ->> 'outcome' = 'over_budget' then
      blocked := obstructed;
    end if;
  end loop;
  if blocked is not null then
    return refusal_of(blocked, null);
  end if;

  perform begin_lease(ask || '{"scope": "hold", "seq": 0}', of_lease, legs, 'granted', null);
  foreach one in array legs loop
    if cardinality(one.ids) > 0 then
      perform move(of_lease, one.unit, amount(ask, 'amounts', one.unit), 0, 'held', 'held for one call', now_ms);
    end if;
  end loop;
  insert into holds (hold_id, lease_id, agent, task, content, nanodollars, tokens, opened_at, expires_at)
    values (id, of_lease, ask ->> 'agent', ask ->> 'task', ask ->> 'content', amount(ask, 'amounts', 'nanodollars'),
      amount(ask, 'amounts', 'tokens'), now_ms, (ask ->> 'expires_at')::bigint);
  return jsonb_build_object('outcome', 'held', 'hold', hold_line(id));
end $$;

-- Posts every hold whose time is over in full: its call may have been made. Answers how many there were.
create function expire_holds(now_ms bigint) returns bigint language plpgsql as $$
declare
  over holds;
  slice slices;
  ended bigint := 0;
begin
  perform pg_advisory_xact_lock(4319);
  for over in select * from holds h where h.state = 'held' and h.expires_at <= now_ms order by h.expires_at, h.hold_id loop
    for slice in select * from slices s where s.lease_id = over.lease_id order by s.unit loop
      perform move(over.lease_id, slice.unit, 0, slice.granted - slice.posted, 'expired',
        'never settled: its call may have been made', now_ms);
    end loop;
    perform end_hold(over, 'expired', null, now_ms);
    perform note_event('hold_expired', 'collector', over.agent, 'never settled', jsonb_build_object('hold', over.hold_id,
      'nanodollars', over.nanodollars::text, 'tokens', over.tokens::text), now_ms);
    ended := ended + 1;
  end loop;
  return ended;
end $$;

create function end_hold(of_hold holds, how text, by_what jsonb, now_ms bigint) returns void language sql as $$
  update leases set state = 'closed' where lease_id = of_hold.lease_id;
  update holds set state = how, settlement = by_what, settled_at = now_ms where hold_id = of_hold.hold_id
$$;

-- Settles a hold, once: {post: {nanodollars, tokens}} or {release: true}. The same again changes nothing; what came first
-- stands against anything else. Afterwards {correct: {nanodollars, tokens}, reason} says what was truly spent, in all.
-- {outcome: settled | conflict | unknown, hold}
create function settle_hold(of_id text, how jsonb, by_actor text, now_ms bigint) returns jsonb language plpgsql as $$
declare
  known holds;
  of_unit text;
begin
  perform pg_advisory_xact_lock(4319);
  perform expire_holds(now_ms);
  select * into known from holds where hold_id = of_id;
  if known.hold_id is null then
    return '{"outcome": "unknown"}';
  elsif how ? 'correct' then
    if known.state = 'held' then
      return jsonb_build_object('outcome', 'conflict', 'hold', hold_line(of_id));
    end if;
    perform correct_hold(known, how, by_actor, now_ms);
  elsif known.state = 'held' then
    foreach of_unit in array array['nanodollars', 'tokens'] loop
      if how ? 'post' then
        perform post_spent(known.lease_id, of_unit, amount(how, 'post', of_unit), now_ms);
      end if;
      perform move(known.lease_id, of_unit, s.posted - s.granted, 0, 'released', 'held and not spent', now_ms)
        from slices s where s.lease_id = known.lease_id and s.unit = of_unit;
    end loop;
    perform end_hold(known, case when how ? 'post' then 'posted' else 'released' end, how, now_ms);
  elsif known.settlement is distinct from how then
    return jsonb_build_object('outcome', 'conflict', 'hold', hold_line(of_id));
  end if;
  return jsonb_build_object('outcome', 'settled', 'hold', hold_line(of_id));
end $$;

-- What was spent is what the correction says: less is given back, more is posted, above the limit if it must be.
create function correct_hold(known holds, how jsonb, by_actor text, now_ms bigint) returns void language plpgsql as $$
declare
  slice slices;
  more numeric;
begin
  for slice in select * from slices s where s.lease_id = known.lease_id order by s.unit loop
    more := amount(how, 'correct', slice.unit) - slice.posted;
    if more <> 0 then
      if more > 0 then
        perform lift_excess(known.lease_id, slice.unit, more);
      end if;
      perform move(known.lease_id, slice.unit, more, more, 'correction', how ->> 'reason', now_ms);
      perform note_event('budget_corrected', by_actor, known.agent, how ->> 'reason',
        jsonb_build_object('hold', known.hold_id, 'unit', slice.unit, 'amount', more::text), now_ms);
    end if;
  end loop;
end $$;
