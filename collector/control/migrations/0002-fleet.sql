-- Who takes part: tasks that were begun, instances that were heard of, and the join tokens they show.

create table tasks (
  agent text not null,
  task text not null,
  state text not null default 'open' check (state in ('open', 'done', 'failed')),
  opened_at bigint not null,
  ended_at bigint,
  output_units bigint,
  primary key (agent, task)
);
create index tasks_open on tasks (agent) where state = 'open';

create table instances (
  agent text not null,
  instance text not null,
  mode text not null,
  health text not null,
  policy text not null,
  last_seen bigint not null,
  primary key (agent, instance)
) with (fillfactor = 50);

create table tokens (
  name text primary key,
  -- SHA-256 of the token, lower-case hex. The token itself is never kept here.
  digest text not null unique,
  created_at bigint not null,
  revoked_at bigint
);
