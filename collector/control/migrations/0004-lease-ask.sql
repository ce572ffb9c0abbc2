-- One ask of a sidecar, whole or not at all: open or continue a lease, settle, draw, renew, close. Asks come one at a
-- time, whoever sends them: the lock is the ledger's single writer.

create function amount(ask jsonb, which text, unit text) returns numeric language sql immutable as $$
  select coalesce((ask -> which ->> unit)::numeric, 0)
$$;

-- ask: {at, agent, instance, scope, task, lease, nonce, seq, granted, posted, held, want, need, release, close, fresh,
-- expires_at, window_ends_at, path, path_digest, live, cap, tasks_max, grace_percent, grace_path}; fresh is the id a
-- new lease gets.
create function lease_ask(ask jsonb) returns jsonb language plpgsql as $$
declare
  lease leases;
begin
  perform pg_advisory_xact_lock(4319);
  if ask ->> 'lease' is null then
    select * into lease from leases where agent = ask ->> 'agent' and instance = ask ->> 'instance'
      and nonce = ask ->> 'nonce' and state = 'open';
    return case when lease.lease_id is null then open_lease(ask) else answer_of(lease.lease_id) end;
  end if;

  select * into lease from leases where lease_id = ask ->> 'lease' and agent = ask ->> 'agent'
    and instance = ask ->> 'instance' and scope = ask ->> 'scope' and task = ask ->> 'task';
  if lease.lease_id is null or (ask ->> 'seq')::bigint < lease.seq then
    return jsonb_build_object('outcome', 'stale');
  elsif (ask ->> 'seq')::bigint = lease.seq then
    return answer_of(lease.lease_id);
  elsif lease.state <> 'open' then
    return report_late(lease, ask);
  end if;
  return continue_lease(lease, ask);
end $$;

create function answer_of(of_lease text) returns jsonb language sql stable as $$
  select jsonb_build_object('outcome', l.outcome, 'obstacle', l.obstacle, 'lease', l.lease_id, 'epoch', l.epoch,
    'expires_at', case when l.state = 'open' then l.expires_at else 0 end,
    'granted', (select jsonb_object_agg(s.unit, case when cardinality(s.account_ids) > 0 then s.granted::text end)
      from slices s where s.lease_id = l.lease_id))
  from leases l where l.lease_id = of_lease
$$;

-- What both units may get at once: {nanodollars, tokens}, or {outcome, obstacle, account} when need fits not.
create function plan(legs leg[], ask jsonb, free jsonb, opening boolean) returns jsonb language plpgsql stable as $$
declare
  one leg;
  draw jsonb;
  blocked jsonb;
  grants jsonb := '{}';
begin
  foreach one in array legs loop
    if cardinality(one.ids) = 0
      or not (opening or amount(ask, 'want', one.unit) > 0 or amount(ask, 'need', one.unit) > 0) then
      continue;
    end if;
    draw := plan_draw(one.ids, ask -> 'live', amount(ask, 'need', one.unit), coalesce((free ->> one.unit)::numeric, 0),
      case when one.unit = 'nanodollars' then (ask ->> 'cap')::numeric end);
    if draw ? 'grant' then
      grants := grants || jsonb_build_object(one.unit, draw -> 'grant');
    elsif blocked is null or draw ->> 'outcome' = 'over_budget' then
      blocked := draw;
    end if;
  end loop;
  return coalesce(blocked, grants);
end $$;

create function grant_planned(of_lease text, planned jsonb, now_ms bigint) returns void language plpgsql as $$
begin
  perform move(of_lease, g.key, g.value::numeric, 0, 'granted', 'asked for', now_ms)
    from jsonb_each_text(planned) g;
end $$;

-- Who has something unspent in an account: their slices are called back.
create function recalls_of(account bigint, but_lease text) returns jsonb language sql stable as $$
  select coalesce(jsonb_agg(jsonb_build_object('agent', l.agent, 'instance', l.instance, 'lease', l.lease_id)), '[]')
  from leases l join slices s using (lease_id)
  where l.state = 'open' and s.granted > s.posted and s.account_ids @> array[account]
    and l.lease_id is distinct from but_lease
$$;

create function refusal_of(blocked jsonb, of_lease text) returns jsonb language sql stable as $$
  select jsonb_build_object('outcome', blocked ->> 'outcome', 'obstacle', blocked -> 'obstacle',
    'recalls', case when blocked ->> 'outcome' = 'held'
      then recalls_of((blocked ->> 'account')::bigint, of_lease) else '[]' end)
$$;

-- A refused first ask leaves no lease behind, unless it reports what was spent without one (observe mode).
create function open_lease(ask jsonb) returns jsonb language plpgsql as $$
declare
  now_ms bigint := (ask ->> 'at')::bigint;
  id text := ask ->> 'fresh';
  blocked jsonb := open_task(ask);
  legs leg[];
  one leg;
  planned jsonb;
begin
  if blocked is not null then
    return blocked;
  end if;
  legs := legs_on(ask -> 'path', now_ms);
  planned := plan(legs, ask, '{}', true);
  blocked := case when planned ? 'outcome' then refusal_of(planned, null) end;
  if blocked is not null and amount(ask, 'posted', 'nanodollars') = 0 and amount(ask, 'posted', 'tokens') = 0 then
    return blocked;
  end if;

  insert into leases (lease_id, agent, instance, scope, task, nonce, epoch, seq, outcome, obstacle, opened_at,
      expires_at, window_ends_at, path_digest)
    select id, ask ->> 'agent', ask ->> 'instance', ask ->> 'scope', ask ->> 'task', ask ->> 'nonce',
      1 + coalesce(max(epoch), 0), (ask ->> 'seq')::bigint, coalesce(blocked ->> 'outcome', 'granted'),
      blocked -> 'obstacle', now_ms, (ask ->> 'expires_at')::bigint, (ask ->> 'window_ends_at')::bigint,
      ask ->> 'path_digest'
    from leases where agent = ask ->> 'agent' and instance = ask ->> 'instance' and scope = ask ->> 'scope'
      and task = ask ->> 'task';
  insert into entries (at, kind, lease_id, why)
    values (now_ms, 'opened', id, format('%s lease of %s/%s', ask ->> 'scope', ask ->> 'agent', ask ->> 'instance'));
  foreach one in array legs loop
    insert into slices (lease_id, unit, account_ids) values (id, one.unit, one.ids);
  end loop;
  if blocked is null then
    perform grant_planned(id, planned, now_ms);
  end if;
  foreach one in array legs loop
    perform post_spent(id, one.unit, amount(ask, 'posted', one.unit), now_ms);
  end loop;
  return coalesce(blocked, '{}') || answer_of(id);
end $$;

create function continue_lease(lease leases, ask jsonb) returns jsonb language plpgsql as $$
declare
  now_ms bigint := (ask ->> 'at')::bigint;
  id text := lease.lease_id;
  idle boolean := amount(ask, 'held', 'nanodollars') = 0 and amount(ask, 'held', 'tokens') = 0;
  closing boolean := idle and coalesce((ask ->> 'close')::boolean, false);
  over boolean := coalesce(now_ms >= lease.window_ends_at, false);
  releasing boolean := closing or coalesce((ask ->> 'release')::boolean, false);
  -- Nothing but a sign of life: what moves leaves entries of its own.
  renewing boolean := not closing and not over
    and amount(ask, 'want', 'nanodollars') = 0 and amount(ask, 'want', 'tokens') = 0;
  answered jsonb;
  slice slices;
begin
  for slice in select * from slices where lease_id = id loop
    if amount(ask, 'posted', slice.unit) > slice.posted then
      perform post_spent(id, slice.unit, amount(ask, 'posted', slice.unit), now_ms);
      renewing := false;
    end if;
    if releasing or amount(ask, 'granted', slice.unit) < slice.granted then
      perform give_back(id, slice.unit, amount(ask, 'granted', slice.unit), amount(ask, 'held', slice.unit),
        releasing, now_ms);
      renewing := false;
    end if;
  end loop;

  answered := case
    when closing then '{"outcome": "granted"}'
    -- Nothing more is drawn from a window that has ended; who wants more opens a lease in the new one.
    when over and amount(ask, 'want', 'nanodollars') + amount(ask, 'want', 'tokens') > 0 then '{"outcome": "stale"}'
    when over then '{"outcome": "granted"}'
    else draw_more(lease, ask) end;

  update leases set seq = (ask ->> 'seq')::bigint, outcome = answered ->> 'outcome', obstacle = answered -> 'obstacle',
      state = case when closing then 'closed' else state end,
      expires_at = case when closing or over then expires_at else (ask ->> 'expires_at')::bigint end,
      window_ends_at = case when closing or over then window_ends_at else (ask ->> 'window_ends_at')::bigint end,
      path_digest = case when closing or over then path_digest else ask ->> 'path_digest' end
    where lease_id = id;
  insert into entries (at, kind, lease_id, why)
    select now_ms, k.kind, id, k.why from (values
      ('closed', 'given back whole', closing),
      ('renewed', format('until %s', ask ->> 'expires_at'), renewing)
    ) as k(kind, why, applies) where k.applies;
  return answered || answer_of(id);
end $$;

create function draw_more(lease leases, ask jsonb) returns jsonb language plpgsql as $$
declare
  now_ms bigint := (ask ->> 'at')::bigint;
  legs leg[];
  one leg;
  free jsonb;
  planned jsonb;
  too_high bigint;
begin
  if lease.path_digest = ask ->> 'path_digest' then
    legs := array(select row (s.unit, s.account_ids)::leg from slices s where s.lease_id = lease.lease_id);
  else
    legs := legs_on(ask -> 'path', now_ms);
    foreach one in array legs loop
      perform rebase(lease.lease_id, one.unit, one.ids, now_ms);
    end loop;
  end if;
  select jsonb_object_agg(s.unit, greatest(0, s.granted - s.posted - amount(ask, 'held', s.unit)))
    into free from slices s where s.lease_id = lease.lease_id;
  planned := plan(legs, ask, free, false);
  if planned ? 'outcome' then
    return refusal_of(planned, lease.lease_id);
  end if;
  perform grant_planned(lease.lease_id, planned, now_ms);

  select min(a.account_id) into too_high from slices s join accounts a on a.account_id = any (s.account_ids)
    where s.lease_id = lease.lease_id and a.outstanding > 0 and a.posted + a.outstanding > a.spend_limit;
  return jsonb_build_object('outcome', 'granted', 'recalls',
    case when too_high is null then '[]' else recalls_of(too_high, null) end);
end $$;

-- A lease that has ended hears of more spent than was posted for it: the truth is posted, and the sender fenced off.
create function report_late(lease leases, ask jsonb) returns jsonb language plpgsql as $$
declare
  of_unit text;
begin
  foreach of_unit in array array['nanodollars', 'tokens'] loop
    perform post_spent(lease.lease_id, of_unit, amount(ask, 'posted', of_unit), (ask ->> 'at')::bigint);
  end loop;
  update leases set seq = (ask ->> 'seq')::bigint, outcome = 'stale', obstacle = null where lease_id = lease.lease_id;
  insert into entries (at, kind, lease_id, why)
    values ((ask ->> 'at')::bigint, 'late', lease.lease_id, format('a report after the lease was %s', lease.state));
  return '{"outcome": "stale"}';
end $$;

-- The first lease of a task begins it. Null when it may, else the refusal: too many are open, or the money that new
-- tasks may not touch (grace) is all that is left.
create function open_task(ask jsonb) returns jsonb language plpgsql as $$
declare
  of_agent text := ask ->> 'agent';
  of_task text := ask ->> 'task';
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
    where a.posted * 100 >= p."limit" * (100 - (ask ->> 'grace_percent')::numeric) limit 1;
  if full_account.account_id is not null then
    return jsonb_build_object('outcome', 'over_budget', 'obstacle', obstacle_of(full_account, 0));
  end if;

  select count(*) into open_count from tasks where agent = of_agent and state = 'open';
  if open_count >= (ask ->> 'tasks_max')::bigint then
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
