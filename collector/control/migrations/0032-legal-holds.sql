-- What must not be dropped though its time is over: of whom, from when to when, who said so and why. Never forgotten.

create table legal_holds (
  hold_id text primary key,
  -- empty: the whole fleet
  agent text not null,
  -- null: without end on that side
  held_from bigint,
  held_until bigint check (held_until > held_from),
  reason text not null check (reason <> ''),
  set_at bigint not null,
  actor text not null,
  ended_at bigint,
  ended_by text not null default '',
  end_reason text not null default ''
);

-- When old rows were looked for last: a clock that stands far after it is not believed. One row.
create table retention_clock (one boolean primary key default true check (one), last_run_at bigint not null);
