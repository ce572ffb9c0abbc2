-- What people and agents end: expired slices are written off, tasks are closed.

-- Posts every expired slice in full. Returns what was posted.
create function write_off(now_ms bigint)
returns table (lease text, agent text, instance text, unit text, amount text) language plpgsql as $$
#variable_conflict use_column
declare
  expired record;
begin
  perform pg_advisory_xact_lock(4319);
  for expired in
    select l.lease_id, l.agent, l.instance, s.unit, s.granted - s.posted as unspent
    from leases l join slices s using (lease_id)
    where l.state = 'open' and l.expires_at <= now_ms order by l.lease_id, s.unit
  loop
    perform move(expired.lease_id, expired.unit, 0, expired.unspent, 'written_off',
      'expired and never settled: counted as spent', now_ms);
    update leases set state = 'written_off' where lease_id = expired.lease_id;
    if expired.unspent > 0 then
      lease := expired.lease_id; agent := expired.agent; instance := expired.instance;
      unit := expired.unit; amount := expired.unspent::text;
      return next;
    end if;
  end loop;
end $$;

-- Ends a task. False when it was never begun; ending it twice changes nothing.
create function end_task(of_agent text, of_task text, how text, units bigint, now_ms bigint)
returns boolean language plpgsql as $$
begin
  update tasks set state = how, ended_at = now_ms, output_units = units
    where agent = of_agent and task = of_task and state = 'open';
  if found then
    insert into entries (at, kind, why)
      values (now_ms, 'task_ended', format('task %s of agent %s is %s', of_task, of_agent, how));
    return true;
  end if;
  return exists (select from tasks where agent = of_agent and task = of_task);
end $$;
