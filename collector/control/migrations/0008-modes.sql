-- Modes that people put in force for a while, in place of the config's. Each change notes itself in its own transaction.

create table modes (
  agent text primary key,
  mode text not null check (mode in ('observe', 'enforce')),
  set_at bigint not null,
  -- null: until it is restored; only enforcing may last so
  until bigint check (until is not null or mode = 'enforce'),
  actor text not null,
  reason text not null
);

create function set_mode(
  of_agent text, to_mode text, until_ms bigint, by_actor text, why text, details jsonb, now_ms bigint
) returns void language plpgsql as $$
begin
  insert into modes (agent, mode, set_at, until, actor, reason)
    values (of_agent, to_mode, now_ms, until_ms, by_actor, why)
    on conflict (agent) do update set mode = excluded.mode, set_at = excluded.set_at, until = excluded.until,
      actor = excluded.actor, reason = excluded.reason;
  perform note_event('mode_changed', by_actor, of_agent, why, details, now_ms);
end $$;

-- Restores the config's mode of one agent, or (null) of all whose time is over. Returns which; a second call none.
create function restore_modes(of_agent text, by_actor text, why text, now_ms bigint)
returns setof text language sql as $$
  with gone as (
    delete from modes
    where case when of_agent is null then until <= now_ms else agent = of_agent end
    returning agent, mode
  ), noted as (
    select agent, note_event('mode_restored', by_actor, agent, why, jsonb_build_object('from', mode), now_ms) as note
    from gone
  )
  select agent from noted where note is not null
$$;
