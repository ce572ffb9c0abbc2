-- After a restore, leases granted since the backup are adopted for as long as any can live, which is longer than nothing
-- new is granted.

alter table ledger_memory add column adopting_until bigint not null default 0;

create function is_adopting(now_ms bigint) returns boolean language sql stable as $$
  select now_ms < greatest(learning_until, adopting_until) from ledger_memory
$$;

-- Begins to learn, or with moments that have passed ends it.
drop function learn(bigint, text, text, bigint);
create function learn(until_ms bigint, adopting_ms bigint, by_actor text, reason text, now_ms bigint)
returns void language plpgsql as $$
begin
  perform pg_advisory_xact_lock(4319);
  update ledger_memory set learning_until = until_ms, adopting_until = adopting_ms;
  insert into entries (at, kind, why) values (now_ms, 'learning', format('grants nothing until %s: %s', until_ms, reason));
  perform note_event('budget_learning', by_actor, '', reason, jsonb_build_object('until', until_ms), now_ms);
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
  if lease.lease_id is null and is_adopting((ask ->> 'at')::bigint) then
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
