-- What a write-off posted is given back only by a holder that gives it back itself: a report sent before the lease expired
-- and delivered after its write-off may say that nothing is held, and calls have begun since.

-- A lease that has ended hears what was spent of it. More than was posted is posted. Less than a write-off posted is
-- given back, but for what is in flight or, unless it is released, may come to be; and never below what its holder had
-- reported before.
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
      slice.posted - greatest(
        case when coalesce((ask ->> 'release')::boolean, false) then 0 else amount(ask, 'granted', slice.unit) end,
        amount(ask, 'posted', slice.unit) + amount(ask, 'held', slice.unit)));
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
