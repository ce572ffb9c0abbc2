-- Every entry names the accounts it moved, so that accounts can be recomputed from entries; leases that ended are fenced
-- off and settled to the truth; a ledger that forgot (a restored backup) learns before it grants.

alter table entries add column account_ids bigint[];

create function name_accounts() returns trigger language plpgsql as $$
begin
  if new.account_ids is null then
    select s.account_ids into new.account_ids from slices s where s.lease_id = new.lease_id and s.unit = new.unit;
  end if;
  return new;
end $$;
create trigger entries_name_their_accounts before insert on entries for each row
  when (new.granted <> 0 or new.posted <> 0) execute function name_accounts();

-- Entries of before name no accounts: what they came to is carried over once.
insert into entries (at, kind, account_id, unit, granted, posted, why, account_ids)
  select starts_at, 'carried', account_id, unit, posted + outstanding, posted, 'from before entries named their accounts',
    array[account_id]
  from accounts where posted > 0 or outstanding > 0;
insert into entries (at, kind, lease_id, unit, granted, posted, why, account_ids)
  select 0, 'carried', s.lease_id, s.unit, s.granted - e.granted, s.posted - e.posted, 'from before rebasing was moved', '{}'
  from slices s cross join lateral (select coalesce(sum(granted), 0) as granted, coalesce(sum(posted), 0) as posted
    from entries where lease_id = s.lease_id and unit = s.unit) e
  where s.granted <> e.granted or s.posted <> e.posted;

-- When a report came after the lease had expired or ended: null when none did.
alter table leases add column late_at bigint;
create index leases_late on leases (late_at) where late_at is not null;

-- One row. Until then the ledger may have granted what it does not know of: it grants nothing more.
create table ledger_memory (
  one boolean primary key default true check (one),
  learning_until bigint not null default 0
);
insert into ledger_memory default values;

create function is_learning(now_ms bigint) returns boolean language sql stable as $$
  select now_ms < learning_until from ledger_memory
$$;

-- Begins to learn, or with a moment that has passed ends it.
create function learn(until_ms bigint, by_actor text, reason text, now_ms bigint) returns void language plpgsql as $$
begin
  perform pg_advisory_xact_lock(4319);
  update ledger_memory set learning_until = until_ms;
  insert into entries (at, kind, why) values (now_ms, 'learning', format('grants nothing until %s: %s', until_ms, reason));
  perform note_event('budget_learning', by_actor, '', reason, jsonb_build_object('until', until_ms), now_ms);
end $$;

-- What is true although it was not granted here: it weighs on its accounts, above their limits if it must.
create function adopt(of_lease text, of_unit text, more_granted numeric, reason text, now_ms bigint)
returns void language plpgsql as $$
begin
  if more_granted <= 0 then
    return;
  end if;
  perform lift_excess(of_lease, of_unit, more_granted);
  perform move(of_lease, of_unit, more_granted, 0, 'adopted', reason, now_ms);
end $$;

create function lift_excess(of_lease text, of_unit text, more numeric) returns void language sql as $$
  update accounts a set excess = greatest(a.excess, a.posted + a.outstanding + more - a.spend_limit)
    from slices s where s.lease_id = of_lease and s.unit = of_unit and a.account_id = any (s.account_ids)
$$;

-- The account that stands in the way of an amount, with what is said of it; null when it fits into all.
create function blocking_of(ids bigint[], needed numeric) returns jsonb language sql stable as $$
  select jsonb_build_object(
    'outcome', case when a.posted + needed > a.spend_limit then 'over_budget' else 'held' end,
    'account', a.account_id,
    'obstacle', obstacle_of(a, needed))
  from accounts a where a.account_id = any (ids) and needed > a.spend_limit - a.posted - a.outstanding
  order by (a.posted + needed > a.spend_limit) desc, a.spend_limit - a.posted - a.outstanding, a.account_id limit 1
$$;

-- What may be granted in one unit, all accounts at once: {grant}, or {outcome, obstacle} when need does not fit.
-- live: how many live instances share the accounts of each level. free is what the lease has left over already; cap
-- bounds that and the grant together (null: no bound of its own).
create or replace function plan_draw(ids bigint[], live jsonb, need numeric, free numeric, cap numeric)
returns jsonb language plpgsql stable as $$
declare
  wanted numeric := greatest(0, case when cap is null then need else least(need, greatest(0, cap - free)) end);
  tightest record;
begin
  select min(a.spend_limit - a.posted - a.outstanding) as room,
      min(floor((a.spend_limit - a.posted - a.outstanding + free) / (2 * (live ->> a.level)::bigint)) - free) as share
    into tightest from accounts a where a.account_id = any (ids);
  if wanted <= greatest(tightest.room, 0) then
    return jsonb_build_object('grant', greatest(wanted, 0,
      least(tightest.share, tightest.room, coalesce(cap - free, tightest.share)))::text);
  end if;
  return blocking_of(ids, wanted);
end $$;

-- A ledger that learns does not know what stands in the way of the first account, so it says all of it is held.
create function not_yet_learned(ids bigint[], needed numeric) returns jsonb language sql stable as $$
  select jsonb_build_object('outcome', 'held', 'account', a.account_id, 'obstacle',
    obstacle_of(a, needed) || jsonb_build_object('held', greatest(a.outstanding, a.spend_limit - a.posted)::text))
  from accounts a where a.account_id = any (ids) order by a.account_id limit 1
$$;

-- What both units may get at once: {nanodollars, tokens}, or {outcome, obstacle, account} when need fits not.
create or replace function plan(legs leg[], ask jsonb, free jsonb, opening boolean) returns jsonb
language plpgsql stable as $$
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
    draw := case when is_learning((ask ->> 'at')::bigint)
      then not_yet_learned(one.ids, amount(ask, 'need', one.unit))
      else plan_draw(one.ids, ask -> 'live', amount(ask, 'need', one.unit), coalesce((free ->> one.unit)::numeric, 0),
        case when one.unit = 'nanodollars' then (ask ->> 'cap')::numeric end) end;
    if draw ? 'grant' then
      grants := grants || jsonb_build_object(one.unit, draw -> 'grant');
    elsif blocked is null or draw ->> 'outcome' = 'over_budget' then
      blocked := draw;
    end if;
  end loop;
  return coalesce(blocked, grants);
end $$;

-- The configuration changed under a lease: its unspent slice leaves the accounts that are gone and weighs on the new
-- ones. What was posted stays where it was posted. held: in flight under it; where no budget bound it until now, that
-- much is its slice.
drop function rebase(text, text, bigint[], bigint);
create function rebase(of_lease text, of_unit text, ids bigint[], held numeric, now_ms bigint)
returns void language plpgsql as $$
declare
  slice slices;
  unspent numeric;
  gone bigint[];
  come bigint[];
begin
  select * into strict slice from slices where lease_id = of_lease and unit = of_unit for update;
  if slice.account_ids @> ids and ids @> slice.account_ids then
    return;
  end if;
  if cardinality(ids) = 0 then
    perform move(of_lease, of_unit, slice.posted - slice.granted, 0, 'released', 'no budget limits it any more', now_ms);
  end if;
  select granted - posted into unspent from slices where lease_id = of_lease and unit = of_unit;
  gone := array(select unnest(slice.account_ids) except select unnest(ids));
  come := array(select unnest(ids) except select unnest(slice.account_ids));
  update accounts set outstanding = outstanding - unspent,
      excess = least(excess, greatest(0, posted + outstanding - unspent - spend_limit))
    where account_id = any (gone);
  update accounts set outstanding = outstanding + unspent,
      excess = greatest(0, posted + outstanding + unspent - spend_limit)
    where account_id = any (come);
  update slices set account_ids = ids where lease_id = of_lease and unit = of_unit;
  insert into entries (at, kind, lease_id, unit, granted, why, account_ids)
    select now_ms, 'rebased', of_lease, of_unit, r.amount, r.why, r.accounts from (values
      (-unspent, 'the configuration names these budgets no more', gone),
      (unspent, 'the configuration names these budgets now', come)
    ) as r(amount, why, accounts) where cardinality(r.accounts) > 0;
  if cardinality(slice.account_ids) = 0 then
    perform adopt(of_lease, of_unit, held, 'in flight before a budget bound it', now_ms);
  end if;
end $$;

-- Who has something unspent in an account: their slices are called back. A hold has nothing to give back.
create or replace function recalls_of(account bigint, but_lease text) returns jsonb language sql stable as $$
  select coalesce(jsonb_agg(jsonb_build_object('agent', l.agent, 'instance', l.instance, 'lease', l.lease_id)), '[]')
  from leases l join slices s using (lease_id)
  where l.state = 'open' and l.scope <> 'hold' and s.granted > s.posted and s.account_ids @> array[account]
    and l.lease_id is distinct from but_lease
$$;

-- One lease as it stands, its row made with no slice granted yet.
create function begin_lease(ask jsonb, id text, legs leg[], first_outcome text, blocking jsonb) returns void
language plpgsql as $$
declare
  one leg;
begin
  insert into leases (lease_id, agent, instance, scope, task, nonce, epoch, seq, outcome, obstacle, opened_at,
      expires_at, window_ends_at, path_digest)
    select id, ask ->> 'agent', ask ->> 'instance', ask ->> 'scope', ask ->> 'task', ask ->> 'nonce',
      1 + coalesce(max(epoch), 0), (ask ->> 'seq')::bigint, first_outcome, blocking, (ask ->> 'at')::bigint,
      (ask ->> 'expires_at')::bigint, (ask ->> 'window_ends_at')::bigint, ask ->> 'path_digest'
    from leases where agent = ask ->> 'agent' and instance = ask ->> 'instance' and scope = ask ->> 'scope'
      and task = ask ->> 'task';
  insert into entries (at, kind, lease_id, why) values ((ask ->> 'at')::bigint, 'opened', id,
    format('%s lease of %s/%s', ask ->> 'scope', ask ->> 'agent', ask ->> 'instance'));
  foreach one in array legs loop
    insert into slices (lease_id, unit, account_ids) values (id, one.unit, one.ids);
  end loop;
end $$;

-- A refused first ask leaves no lease behind, unless it reports what was spent without one (observe mode).
create or replace function open_lease(ask jsonb) returns jsonb language plpgsql as $$
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
  perform begin_lease(ask, id, legs, coalesce(blocked ->> 'outcome', 'granted'), blocked -> 'obstacle');
  if blocked is null then
    perform grant_planned(id, planned, now_ms);
  end if;
  foreach one in array legs loop
    perform post_spent(id, one.unit, amount(ask, 'posted', one.unit), now_ms);
  end loop;
  return coalesce(blocked, '{}') || answer_of(id);
end $$;

-- A lease that this ledger does not know, while it learns: it was granted after the backup that this ledger is. What its
-- holder says it was granted and spent is taken for true.
create function adopt_lease(ask jsonb) returns jsonb language plpgsql as $$
declare
  now_ms bigint := (ask ->> 'at')::bigint;
  id text := ask ->> 'lease';
  legs leg[];
  one leg;
begin
  if exists (select from leases where lease_id = id) then
    return '{"outcome": "stale"}';
  end if;
  legs := legs_on(ask -> 'path', now_ms);
  perform begin_lease(ask, id, legs, 'granted', null);
  foreach one in array legs loop
    if cardinality(one.ids) > 0 then
      perform adopt(id, one.unit, greatest(amount(ask, 'granted', one.unit),
        amount(ask, 'posted', one.unit) + amount(ask, 'held', one.unit)), 'granted before the backup was restored', now_ms);
    end if;
    perform post_spent(id, one.unit, amount(ask, 'posted', one.unit), now_ms);
  end loop;
  return answer_of(id);
end $$;

-- ask: {at, agent, instance, scope, task, lease, nonce, seq, granted, posted, held, want, need, release, close, fresh,
-- expires_at, window_ends_at, path, path_digest, live, cap, tasks_max, grace_percent, grace_path}; fresh is the id a
-- new lease gets.
create or replace function lease_ask(ask jsonb) returns jsonb language plpgsql as $$
declare
  lease leases;
begin
  perform pg_advisory_xact_lock(4319);
  if ask ->> 'lease' is null then
    select * into lease from leases where agent = ask ->> 'agent' and instance = ask ->> 'instance'
      and nonce = ask ->> 'nonce';
    return case
      when lease.lease_id is null then open_lease(ask)
      when lease.state = 'open' then answer_of(lease.lease_id)
      -- Its answer was lost and the lease has ended since: another nonce opens another.
      else '{"outcome": "stale"}' end;
  end if;

  select * into lease from leases where lease_id = ask ->> 'lease' and agent = ask ->> 'agent'
    and instance = ask ->> 'instance' and scope = ask ->> 'scope' and task = ask ->> 'task';
  if lease.lease_id is null and is_learning((ask ->> 'at')::bigint) then
    return adopt_lease(ask);
  elsif lease.lease_id is null or (ask ->> 'seq')::bigint < lease.seq then
    return jsonb_build_object('outcome', 'stale');
  elsif (ask ->> 'seq')::bigint = lease.seq then
    return answer_of(lease.lease_id);
  elsif lease.state <> 'open' then
    return report_late(lease, ask);
  end if;
  return continue_lease(lease, ask);
end $$;

-- What came after a lease had expired or ended is marked once, told, and changes nothing but what was spent.
create function mark_late(lease leases, reason text, now_ms bigint) returns void language plpgsql as $$
begin
  if lease.late_at is not null then
    return;
  end if;
  update leases set late_at = now_ms where lease_id = lease.lease_id;
  insert into entries (at, kind, lease_id, why) values (now_ms, 'late', lease.lease_id, reason);
  perform note_event('lease_settled_late', 'collector', lease.agent, reason, jsonb_build_object(
    'lease', lease.lease_id, 'instance', lease.instance, 'expired_at', lease.expires_at), now_ms);
end $$;

create or replace function continue_lease(lease leases, ask jsonb) returns jsonb language plpgsql as $$
declare
  now_ms bigint := (ask ->> 'at')::bigint;
  id text := lease.lease_id;
  idle boolean := amount(ask, 'held', 'nanodollars') = 0 and amount(ask, 'held', 'tokens') = 0;
  closing boolean := idle and coalesce((ask ->> 'close')::boolean, false);
  over boolean := coalesce(now_ms >= lease.window_ends_at, false);
  -- Its holder slept, or was cut off: it may settle what it spent, and nothing more.
  late boolean := not over and now_ms > lease.expires_at;
  wanting boolean := amount(ask, 'want', 'nanodollars') + amount(ask, 'want', 'tokens') > 0;
  fixed boolean := closing or over or late;
  releasing boolean := closing or coalesce((ask ->> 'release')::boolean, false);
  -- Nothing but a sign of life: what moves leaves entries of its own.
  renewing boolean := not fixed and not wanting;
  answered jsonb;
  slice slices;
begin
  if late then
    perform mark_late(lease, format('reported %s ms after it expired', now_ms - lease.expires_at), now_ms);
  end if;
  for slice in select * from slices where lease_id = id order by unit loop
    if is_learning(now_ms) and cardinality(slice.account_ids) > 0 then
      perform adopt(id, slice.unit, amount(ask, 'granted', slice.unit) - slice.granted,
        'granted before the backup was restored', now_ms);
    end if;
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
    -- Nothing more is drawn from a window or a lease that has ended; who wants more opens a new one.
    when (over or late) and wanting then '{"outcome": "stale"}'
    when over or late then '{"outcome": "granted"}'
    else draw_more(lease, ask) end;

  update leases set seq = (ask ->> 'seq')::bigint, outcome = answered ->> 'outcome', obstacle = answered -> 'obstacle',
      state = case when closing then 'closed' else state end,
      expires_at = case when fixed then expires_at else (ask ->> 'expires_at')::bigint end,
      window_ends_at = case when fixed then window_ends_at else (ask ->> 'window_ends_at')::bigint end,
      path_digest = case when fixed then path_digest else ask ->> 'path_digest' end
    where lease_id = id;
  insert into entries (at, kind, lease_id, why)
    select now_ms, k.kind, id, k.why from (values
      ('closed', 'given back whole', closing),
      ('renewed', format('until %s', ask ->> 'expires_at'), renewing)
    ) as k(kind, why, applies) where k.applies;
  return answered || answer_of(id);
end $$;

-- The limits of the path are looked up whenever something is drawn: the same budgets may have had others meanwhile.
create or replace function draw_more(lease leases, ask jsonb) returns jsonb language plpgsql as $$
declare
  now_ms bigint := (ask ->> 'at')::bigint;
  legs leg[];
  one leg;
  free jsonb;
  planned jsonb;
  too_high bigint;
begin
  if lease.path_digest = ask ->> 'path_digest'
    and amount(ask, 'want', 'nanodollars') = 0 and amount(ask, 'want', 'tokens') = 0 then
    legs := array(select row (s.unit, s.account_ids)::leg from slices s where s.lease_id = lease.lease_id);
  else
    legs := legs_on(ask -> 'path', now_ms);
    foreach one in array legs loop
      perform rebase(lease.lease_id, one.unit, one.ids, amount(ask, 'held', one.unit), now_ms);
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

-- A lease that has ended hears what was spent of it. More than was posted is posted. Less than a write-off posted is
-- given back, but for what is still in flight and never below what its holder had reported before.
create or replace function report_late(lease leases, ask jsonb) returns jsonb language plpgsql as $$
declare
  now_ms bigint := (ask ->> 'at')::bigint;
  slice slices;
  too_much numeric;
begin
  perform mark_late(lease, format('reported after it was %s', replace(lease.state, '_', ' ')), now_ms);
  for slice in select * from slices where lease_id = lease.lease_id order by unit loop
    perform post_spent(lease.lease_id, slice.unit, amount(ask, 'posted', slice.unit), now_ms);
    select coalesce(sum(e.posted), 0) into too_much from entries e where e.lease_id = lease.lease_id
      and e.unit = slice.unit and e.kind in ('written_off', 'correction');
    too_much := least(too_much,
      slice.posted - amount(ask, 'posted', slice.unit) - amount(ask, 'held', slice.unit));
    if too_much > 0 then
      perform move(lease.lease_id, slice.unit, -too_much, -too_much, 'correction',
        'written off as spent, but its holder says that it was not', now_ms);
      perform note_event('budget_corrected', 'collector', lease.agent, 'settled after its write-off',
        jsonb_build_object('lease', lease.lease_id, 'unit', slice.unit, 'amount', (-too_much)::text), now_ms);
    end if;
  end loop;
  update leases set seq = (ask ->> 'seq')::bigint, obstacle = null, outcome = case
      when amount(ask, 'want', 'nanodollars') + amount(ask, 'want', 'tokens') > 0 then 'stale' else 'granted' end
    where lease_id = lease.lease_id;
  return answer_of(lease.lease_id);
end $$;

-- Posts expired slices in full: of one lease, of one agent, or all (null). With only_show nothing changes. Returns what
-- was posted, or would be.
drop function write_off(text, bigint);
create function write_off(of_lease text, of_agent text, reason text, only_show boolean, by_actor text, now_ms bigint)
returns table (lease text, agent text, instance text, unit text, amount text, expired_at text) language plpgsql as $$
#variable_conflict use_column
declare
  expired record;
begin
  perform pg_advisory_xact_lock(4319);
  for expired in
    select l.lease_id, l.agent, l.instance, l.expires_at, s.unit, s.granted - s.posted as unspent
    from leases l join slices s using (lease_id)
    where l.state = 'open' and l.scope <> 'hold' and l.expires_at <= now_ms
      and (of_lease is null or l.lease_id = of_lease) and (of_agent is null or l.agent = of_agent)
    order by l.lease_id, s.unit
  loop
    if not only_show then
      perform move(expired.lease_id, expired.unit, 0, expired.unspent, 'written_off', reason, now_ms);
      update leases set state = 'written_off' where lease_id = expired.lease_id;
    end if;
    if expired.unspent > 0 then
      if not only_show then
        perform note_event('budget_written_off', by_actor, expired.agent, reason,
          jsonb_build_object('lease', expired.lease_id, 'instance', expired.instance, 'unit', expired.unit,
            'amount', expired.unspent::text), now_ms);
      end if;
      lease := expired.lease_id; agent := expired.agent; instance := expired.instance;
      unit := expired.unit; amount := expired.unspent::text; expired_at := expired.expires_at::text;
      return next;
    end if;
  end loop;
end $$;

-- What does not add up, in words; no row when all does. Accounts are recomputed from entries and from slices, slices
-- from entries.
create function ledger_problems() returns table (problem text) language sql stable as $$
  with of_entries as (
    select id as account_id, sum(e.posted) as posted, sum(e.granted - e.posted) as outstanding
    from entries e cross join lateral unnest(e.account_ids) as id group by id
  ), of_slices as (
    select id as account_id, sum(s.granted - s.posted) as outstanding
    from slices s cross join lateral unnest(s.account_ids) as id group by id
  ), moved as (
    select lease_id, unit, sum(granted) as granted, sum(posted) as posted
    from entries where lease_id is not null and unit is not null and kind <> 'rebased' group by lease_id, unit
  ), named as (
    select a.*, format('%s %s, %s of the %s from %s', a.level, a.name, a.unit, a.budget_window, a.starts_at) as called
    from accounts a
  )
  select format('%s: %s posted and %s outstanding pass its limit of %s by more than the excess of %s',
      called, posted, outstanding, spend_limit, excess)
    from named where posted + outstanding > spend_limit + excess
  union all
  select format('%s: an excess of %s, but %s posted and %s outstanding of %s', called, excess, posted, outstanding, spend_limit)
    from named where excess > greatest(0, posted + outstanding - spend_limit)
  union all
  select format('%s: %s posted, its entries come to %s', called, a.posted, coalesce(e.posted, 0))
    from named a left join of_entries e using (account_id) where a.posted <> coalesce(e.posted, 0)
  union all
  select format('%s: %s outstanding, its entries come to %s', called, a.outstanding, coalesce(e.outstanding, 0))
    from named a left join of_entries e using (account_id) where a.outstanding <> coalesce(e.outstanding, 0)
  union all
  select format('%s: %s outstanding, its slices come to %s', called, a.outstanding, coalesce(s.outstanding, 0))
    from named a left join of_slices s using (account_id) where a.outstanding <> coalesce(s.outstanding, 0)
  union all
  select format('lease %s: %s of %s %s spent, its entries come to %s of %s', s.lease_id, s.posted, s.granted, s.unit,
      coalesce(m.posted, 0), coalesce(m.granted, 0))
    from slices s left join moved m using (lease_id, unit)
    where s.posted <> coalesce(m.posted, 0) or s.granted <> coalesce(m.granted, 0)
  union all
  select format('lease %s is %s and %s %s of it are unspent', l.lease_id, l.state, s.granted - s.posted, s.unit)
    from leases l join slices s using (lease_id) where l.state <> 'open' and s.granted <> s.posted
$$;
