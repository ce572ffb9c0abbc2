-- What a sidecar is told with each answer: the accounts its lease draws on, so that an agent can plan.

create function levels_of(of_lease text) returns jsonb language sql stable as $$
  select jsonb_agg(jsonb_build_object('level', a.level, 'name', a.name, 'window', a.budget_window, 'unit', a.unit,
      'limit', a.spend_limit::text, 'posted', a.posted::text, 'held', a.outstanding::text, 'starts_at', a.starts_at,
      'ends_at', a.ends_at, 'marks', jsonb_build_array(a.mark_at, a.mark_posted::text, a.before_at, a.before_posted::text))
    order by a.account_id)
  from slices s cross join unnest(s.account_ids) as id join accounts a on a.account_id = id
  where s.lease_id = of_lease
$$;

-- One ask of a sidecar and what stands around it: raises that are over have ended before it is answered, and the answer
-- shows the accounts of the lease as they are after it.
create or replace function budget_step(ask jsonb) returns jsonb language plpgsql as $$
declare
  called_back jsonb := '[]';
  over record;
  answer jsonb;
begin
  for over in select * from end_raises(null, 'collector', 'its time is over', (ask ->> 'at')::bigint) loop
    called_back := called_back || over.recalls;
  end loop;
  answer := lease_ask(ask);
  if called_back <> '[]' then
    answer := answer || jsonb_build_object('recalls', called_back || coalesce(answer -> 'recalls', '[]'));
  end if;
  if answer ->> 'lease' is not null and not coalesce((ask ->> 'close')::boolean, false) then
    answer := answer || jsonb_build_object('levels', levels_of(answer ->> 'lease'));
  end if;
  return answer;
end $$;
