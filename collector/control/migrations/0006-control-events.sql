-- What changed in control state, waiting to be told to the store: each change notes itself in its own transaction.

create table control_events (
  id bigint generated always as identity primary key,
  at bigint not null,
  event text not null,
  -- who did it: the name of the join token or session that was shown, or `collector`
  actor text not null,
  agent text not null default '',
  reason text not null default '',
  details jsonb not null default '{}',
  told boolean not null default false
);
create index control_events_untold on control_events (id) where not told;

-- One line of a statement that changes something: select note_event(…) beside it, or perform note_event(…) inside.
create function note_event(
  event text, actor text, agent text, reason text, details jsonb, now_ms bigint
) returns bigint language sql as $$
  insert into control_events (at, event, actor, agent, reason, details)
  values (now_ms, event, actor, agent, reason, details) returning id
$$;
