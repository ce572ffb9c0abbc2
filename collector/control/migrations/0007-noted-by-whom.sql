-- Tasks' ends and write-offs note who did it; which policies were told, so that a policy's text is told once.

drop function end_task(text, text, text, bigint, bigint);
drop function write_off(bigint);

-- Posts every expired slice in full. Returns what was posted.
create function write_off(by_actor text, now_ms bigint)
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
      perform note_event('budget_written_off', by_actor, expired.agent, 'expired and never settled',
        jsonb_build_object('lease', expired.lease_id, 'instance', expired.instance, 'unit', expired.unit,
          'amount', expired.unspent::text), now_ms);
      return next;
    end if;
  end loop;
end $$;

-- Ends a task. False when it was never begun; ending it twice changes nothing.
create function end_task(of_agent text, of_task text, how text, units bigint, by_actor text, now_ms bigint)
returns boolean language plpgsql as $$
begin
  update tasks set state = how, ended_at = now_ms, output_units = units
    where agent = of_agent and task = of_task and state = 'open';
  if found then
    insert into entries (at, kind, why)
      values (now_ms, 'task_ended', format('task %s of agent %s is %s', of_task, of_agent, how));
    perform note_event('task_ended', by_actor, of_agent, '',
      jsonb_strip_nulls(jsonb_build_object('task', of_task, 'state', how, 'output_units', units)), now_ms);
    return true;
  end if;
  return exists (select from tasks where agent = of_agent and task = of_task);
end $$;

create table policies (
  digest text primary key,
  -- [{file, text}], as read; secrets are references, so none is in it
  sources jsonb not null,
  first_at bigint not null
);

-- Which policy each instance runs now, and since when: the same report again is no news.
create table policies_in_force (
  agent text not null,
  instance text not null,
  digest text not null references policies,
  loaded_at bigint not null,
  primary key (agent, instance)
) with (fillfactor = 50);

-- Notes that an instance runs a policy. The text goes with the first event that names its digest.
create function note_policy(
  of_agent text, of_instance text, of_digest text, of_fleet text, texts jsonb, loaded_ms bigint,
  by_actor text, now_ms bigint
) returns void language plpgsql as $$
declare
  details jsonb := jsonb_build_object('digest', of_digest, 'instance', of_instance, 'fleet', of_fleet,
    'loaded_at', loaded_ms);
begin
  if exists (select from policies_in_force where agent = of_agent and instance = of_instance
      and digest = of_digest and loaded_at = loaded_ms) then
    return;
  end if;
  -- the default policy has no text; nobody can keep another's away by leaving it out
  insert into policies (digest, sources, first_at) values (of_digest, texts, now_ms)
    on conflict (digest) do update set sources = excluded.sources
    where policies.sources = '[]' and excluded.sources <> '[]';
  if found then
    details := details || jsonb_build_object('sources', texts);
  end if;
  insert into policies_in_force (agent, instance, digest, loaded_at)
    values (of_agent, of_instance, of_digest, loaded_ms)
    on conflict (agent, instance) do update set digest = excluded.digest, loaded_at = excluded.loaded_at;
  perform note_event('policy_in_force', by_actor, of_agent, '', details, now_ms);
end $$;
