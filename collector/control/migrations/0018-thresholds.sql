-- Near the limit: 70, 90 and 100 % are noted once per account and limit; the pace of the last hour; grace by the limit in force.

alter table accounts
  -- the highest of 70, 90, 100 that was noted of the limit in force; 0 when none
  add column noted smallint not null default 0,
  -- What was posted by two moments, at least half an hour apart, the later of them the last: the pace since.
  add column mark_at bigint not null default 0,
  add column mark_posted numeric(30, 0) not null default 0,
  add column before_at bigint not null default 0,
  add column before_posted numeric(30, 0) not null default 0;

-- The highest of 70, 90, 100 that what is posted has reached.
create function reached_by(a accounts) returns smallint language sql immutable as $$
  select case
    when a.posted = 0 or a.posted * 10 < a.spend_limit * 7 then 0
    when a.posted * 10 < a.spend_limit * 9 then 70
    when a.posted < a.spend_limit then 90
    else 100 end::smallint
$$;

-- Notes what these accounts have reached since it was last noted.
create function note_reached(ids bigint[], now_ms bigint) returns void language plpgsql as $$
declare
  a accounts;
begin
  for a in select * from accounts k where k.account_id = any (ids) and reached_by(k) > k.noted order by k.account_id loop
    update accounts set noted = reached_by(a) where account_id = a.account_id;
    perform note_event('budget_threshold', 'collector', agent_of(a.level, a.name), '', jsonb_build_object(
        'level', a.level, 'name', a.name, 'unit', a.unit, 'window', a.budget_window, 'percent', percent,
        'limit', a.spend_limit::text, 'posted', a.posted::text, 'starts_at', a.starts_at, 'ends_at', a.ends_at), now_ms)
      from unnest(array[70, 90, 100]) as percent where percent > a.noted and percent <= reached_by(a);
  end loop;
end $$;

-- Gives an account another limit. What stands above it is excess: no grant adds to that. What is no longer reached of a
-- higher limit will be noted again; what is reached of a lower one is noted now.
create or replace function limit_account(id bigint, of_limit numeric, of_kind text, reason text, now_ms bigint)
returns void language plpgsql as $$
begin
  update accounts set spend_limit = of_limit, excess = greatest(0, posted + outstanding - of_limit)
    where account_id = id;
  update accounts a set noted = least(a.noted, reached_by(a)) where a.account_id = id;
  perform note_reached(array[id], now_ms);
  insert into entries (at, kind, account_id, unit, why)
    select now_ms, of_kind, id, unit, reason from accounts where account_id = id;
end $$;

-- The one place where amounts move: a slice and all its accounts, by the same amounts, with the reason.
-- Only an overrun may lift an account above its limit: what was spent is spent.
create or replace function move(of_lease text, of_unit text, more_granted numeric, more_posted numeric,
  of_kind text, reason text, now_ms bigint) returns void language plpgsql as $$
declare
  ids bigint[];
begin
  if more_granted = 0 and more_posted = 0 then
    return;
  end if;
  update slices set granted = granted + more_granted, posted = posted + more_posted
    where lease_id = of_lease and unit = of_unit returning account_ids into strict ids;
  update accounts set
      posted = posted + more_posted,
      outstanding = outstanding + more_granted - more_posted,
      excess = least(
        case when of_kind = 'overrun' then excess + more_posted else excess end,
        greatest(0, posted + outstanding + more_granted - spend_limit))
    where account_id = any (ids);
  if more_posted > 0 then
    update accounts set before_at = mark_at, before_posted = mark_posted, mark_at = now_ms,
        mark_posted = posted - more_posted
      where account_id = any (ids) and mark_at <= now_ms - 1800000;
    perform note_reached(ids, now_ms);
  end if;
  insert into entries (at, kind, lease_id, unit, granted, posted, why)
    values (now_ms, of_kind, of_lease, of_unit, more_granted, more_posted, reason);
end $$;

-- The first lease of a task begins it. Null when it may, else the refusal: too many are open, or the money that new
-- tasks may not touch (grace) is all that is left. What was spent already needs nobody's leave.
create or replace function open_task(ask jsonb) returns jsonb language plpgsql as $$
declare
  of_agent text := ask ->> 'agent';
  of_task text := ask ->> 'task';
  reports boolean := amount(ask, 'posted', 'nanodollars') > 0 or amount(ask, 'posted', 'tokens') > 0;
  full_account accounts;
  open_count bigint;
begin
  if ask ->> 'scope' <> 'task' or exists (
    select from tasks where agent = of_agent and task = of_task and state = 'open') then
    return null;
  end if;

  select a.* into full_account from jsonb_to_recordset(ask -> 'grace_path')
      as p(level text, name text, unit text, "window" text, starts_at bigint, "limit" numeric)
    cross join lateral (select * from accounts k where k.level = p.level and k.name = p.name and k.unit = p.unit
      and k.budget_window = p."window" and k.starts_at = p.starts_at limit 1) a
    cross join lateral (select p."limit" + raised(p.level, p.name, p.unit, p."window") as in_force) l
    where not reports and a.posted * 100 >= l.in_force * (100 - (ask ->> 'grace_percent')::numeric)
    order by a.posted >= l.in_force desc limit 1;
  if full_account.account_id is not null then
    return jsonb_build_object('outcome', 'over_budget', 'obstacle', obstacle_of(full_account, 0)
      || case when full_account.posted < full_account.spend_limit then '{"reason": "grace"}'::jsonb else '{}' end);
  end if;

  select count(*) into open_count from tasks where agent = of_agent and state = 'open';
  if not reports and open_count >= (ask ->> 'tasks_max')::bigint then
    return jsonb_build_object('outcome', 'over_budget', 'obstacle', jsonb_build_object('level', 'task',
      'name', format('open tasks of %s', of_agent), 'window', 'task', 'unit', 'tasks', 'limit', ask ->> 'tasks_max',
      'posted', open_count::text, 'held', '0', 'needed', '1', 'resetsAt', null));
  end if;

  insert into tasks (agent, task, opened_at) values (of_agent, of_task, (ask ->> 'at')::bigint)
    on conflict (agent, task) do update set state = 'open', opened_at = excluded.opened_at, ended_at = null;
  insert into entries (at, kind, why)
    values ((ask ->> 'at')::bigint, 'task_opened', format('task %s of agent %s', of_task, of_agent));
  return null;
end $$;
