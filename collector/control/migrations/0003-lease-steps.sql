-- The steps of a lease: find its accounts, move amounts, post what was spent, give back, plan a grant, rebase.

-- The accounts of one unit on a path.
create type leg as (unit text, ids bigint[]);

-- The accounts of a path, made when missing, with the limits of the configuration in force: one leg for each unit.
-- path: [{level, name, unit, window, starts_at, ends_at, limit}]
create function legs_on(path jsonb, now_ms bigint) returns leg[] language plpgsql as $$
declare
  wanted record;
  known accounts;
  dollars bigint[] := '{}';
  tokens bigint[] := '{}';
begin
  -- One by one, by the unique index: a path is short, and no statistics are needed to find that index.
  for wanted in select * from jsonb_to_recordset(path) as p(level text, name text, unit text, "window" text,
    starts_at bigint, ends_at bigint, "limit" numeric)
  loop
    select * into known from accounts a where a.level = wanted.level and a.name = wanted.name
      and a.unit = wanted.unit and a.budget_window = wanted."window" and a.starts_at = wanted.starts_at;
    if known.account_id is null then
      insert into accounts (level, name, unit, budget_window, starts_at, ends_at, spend_limit)
        values (wanted.level, wanted.name, wanted.unit, wanted."window", wanted.starts_at, wanted.ends_at, wanted."limit")
        returning * into known;
    elsif known.spend_limit <> wanted."limit" then
      update accounts set spend_limit = wanted."limit", excess = greatest(0, posted + outstanding - wanted."limit")
        where account_id = known.account_id;
      insert into entries (at, kind, account_id, unit, why)
        values (now_ms, 'limit', known.account_id, known.unit, format('the configuration sets it to %s', wanted."limit"));
    end if;
    if wanted.unit = 'tokens' then
      tokens := tokens || known.account_id;
    else
      dollars := dollars || known.account_id;
    end if;
  end loop;
  return array[row ('nanodollars', dollars)::leg, row ('tokens', tokens)::leg];
end $$;

-- The one place where amounts move: a slice and all its accounts, by the same amounts, with the reason.
-- Only an overrun may lift an account above its limit: what was spent is spent.
create function move(of_lease text, of_unit text, more_granted numeric, more_posted numeric,
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
  insert into entries (at, kind, lease_id, unit, granted, posted, why)
    values (now_ms, of_kind, of_lease, of_unit, more_granted, more_posted, reason);
end $$;

-- Posts what a sidecar spent in one unit, in all, since the lease began. More than its slice is posted too: it is true.
create function post_spent(of_lease text, of_unit text, spent numeric, now_ms bigint)
returns void language plpgsql as $$
declare
  slice slices;
  extra numeric;
  within numeric;
begin
  select * into strict slice from slices where lease_id = of_lease and unit = of_unit;
  extra := greatest(0, spent - slice.posted);
  if cardinality(slice.account_ids) = 0 then
    perform move(of_lease, of_unit, extra, extra, 'posted', 'spent, no budget limits it', now_ms);
    return;
  end if;
  within := least(extra, slice.granted - slice.posted);
  perform move(of_lease, of_unit, 0, within, 'posted', 'spent', now_ms);
  perform move(of_lease, of_unit, extra - within, extra - within, 'overrun',
    'spent beyond what was granted: the true amount is posted, above the limit if it must be', now_ms);
end $$;

-- Takes back what the sidecar says it never received and, with release, what it neither spent nor holds.
-- claimed is what it knows it was granted in all.
create function give_back(of_lease text, of_unit text, claimed numeric, held numeric, release boolean, now_ms bigint)
returns void language plpgsql as $$
declare
  slice slices;
  used numeric;
  kept numeric;
begin
  select * into strict slice from slices where lease_id = of_lease and unit = of_unit;
  if cardinality(slice.account_ids) = 0 then
    return;
  end if;
  used := least(slice.granted, slice.posted + held);
  kept := least(slice.granted, greatest(claimed, used));
  perform move(of_lease, of_unit, kept - slice.granted, 0, 'taken_back', 'granted but never received', now_ms);
  if release then
    perform move(of_lease, of_unit, used - kept, 0, 'released', 'neither spent nor held', now_ms);
  end if;
end $$;

-- What may be granted in one unit, all accounts at once: {grant}, or {outcome, obstacle} when need does not fit.
-- live: how many live instances share the accounts of each level. free is what the lease has left over already; cap
-- bounds that and the grant together (null: no bound of its own).
create function plan_draw(ids bigint[], live jsonb, need numeric, free numeric, cap numeric)
returns jsonb language plpgsql stable as $$
declare
  wanted numeric := case when cap is null then need else least(need, greatest(0, cap - free)) end;
  tightest record;
  blocking accounts;
begin
  select min(a.spend_limit - a.posted - a.outstanding) as room,
      min(floor((a.spend_limit - a.posted - a.outstanding + free) / (2 * (live ->> a.level)::bigint)) - free) as share
    into tightest from accounts a where a.account_id = any (ids);

  if wanted <= greatest(tightest.room, 0) then
    return jsonb_build_object('grant', greatest(wanted, 0,
      least(tightest.share, tightest.room, coalesce(cap - free, tightest.share)))::text);
  end if;

  select a.* into strict blocking from accounts a
    where a.account_id = any (ids) and wanted > a.spend_limit - a.posted - a.outstanding
    order by (a.posted + wanted > a.spend_limit) desc, a.spend_limit - a.posted - a.outstanding, a.account_id limit 1;
  return jsonb_build_object(
    'outcome', case when blocking.posted + wanted > blocking.spend_limit then 'over_budget' else 'held' end,
    'account', blocking.account_id,
    'obstacle', obstacle_of(blocking, wanted));
end $$;

create function obstacle_of(blocking accounts, needed numeric) returns jsonb language sql immutable as $$
  select jsonb_build_object('level', blocking.level, 'name', blocking.name, 'window', blocking.budget_window,
    'unit', blocking.unit, 'limit', blocking.spend_limit::text, 'posted', blocking.posted::text,
    'held', blocking.outstanding::text, 'needed', needed::text, 'resetsAt', blocking.ends_at)
$$;

-- The configuration changed under a lease: its unspent slice leaves the accounts that are gone and weighs on the new
-- ones. What was posted stays where it was posted.
create function rebase(of_lease text, of_unit text, ids bigint[], now_ms bigint) returns void language plpgsql as $$
declare
  slice slices;
begin
  select * into strict slice from slices where lease_id = of_lease and unit = of_unit for update;
  if slice.account_ids @> ids and ids @> slice.account_ids then
    return;
  end if;
  update accounts set outstanding = outstanding - (slice.granted - slice.posted),
      excess = least(excess, greatest(0, posted + outstanding - (slice.granted - slice.posted) - spend_limit))
    where account_id = any (slice.account_ids) and not account_id = any (ids);
  update accounts set outstanding = outstanding + (slice.granted - slice.posted),
      excess = greatest(0, posted + outstanding + (slice.granted - slice.posted) - spend_limit)
    where account_id = any (ids) and not account_id = any (slice.account_ids);
  update slices set account_ids = ids, granted = case when cardinality(ids) = 0 then posted else granted end
    where lease_id = of_lease and unit = of_unit;
  insert into entries (at, kind, lease_id, unit, why)
    values (now_ms, 'rebased', of_lease, of_unit, format('the configuration names other budgets: accounts %s', ids));
end $$;
