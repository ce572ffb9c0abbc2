-- A refusal is final only where the whole call could never fit, whatever else is given back: what the asker's own calls
-- hold, beyond their slice even, is not spent yet; and what its slice has left pays for part of the call.
create function blocking_of(ids bigint[], needed numeric, whole numeric) returns jsonb language sql stable as $$
  select jsonb_build_object(
    'outcome', case when a.posted + whole > a.spend_limit then 'over_budget' else 'held' end,
    'account', a.account_id,
    'obstacle', obstacle_of(a, needed))
  from accounts a where a.account_id = any (ids) and needed > a.spend_limit - a.posted - a.outstanding
  order by (a.posted + whole > a.spend_limit) desc, a.spend_limit - a.posted - a.outstanding, a.account_id limit 1
$$;

-- What may be granted in one unit, all accounts at once: {grant}, or {outcome, obstacle} when need does not fit.
-- live: how many live instances share the accounts of each level. free is what the lease has left over already, less than
-- zero where its calls hold more than it; cap bounds that and the grant together (null: no bound of its own).
create or replace function plan_draw(ids bigint[], live jsonb, need numeric, free numeric, cap numeric)
returns jsonb language plpgsql stable as $$
declare
  unused numeric := greatest(0, free);
  wanted numeric := greatest(0, case when cap is null then need else least(need, greatest(0, cap - unused)) end);
  tightest record;
begin
  select min(a.spend_limit - a.posted - a.outstanding) as room,
      min(floor((a.spend_limit - a.posted - a.outstanding + unused) / (2 * (live ->> a.level)::bigint)) - unused) as share
    into tightest from accounts a where a.account_id = any (ids);
  if wanted <= greatest(tightest.room, 0) then
    return jsonb_build_object('grant', greatest(wanted, 0,
      least(tightest.share, tightest.room, coalesce(cap - unused, tightest.share)))::text);
  end if;
  return blocking_of(ids, wanted, wanted + free);
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
  select jsonb_object_agg(s.unit, s.granted - s.posted - amount(ask, 'held', s.unit))
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
