-- The ledger: accounts (a budget in one window), leases on them, and the entries that say what moved and why.
--
-- Amounts are whole nanodollars or tokens; times are milliseconds since 1970, as the collector's clock gave them.

create table accounts (
  account_id bigint generated always as identity primary key,
  level text not null check (level in ('fleet', 'department', 'agent', 'task')),
  name text not null,
  unit text not null check (unit in ('nanodollars', 'tokens')),
  budget_window text not null check (budget_window in ('hour', 'day', 'week', 'month', 'task')),
  starts_at bigint not null,
  ends_at bigint,
  spend_limit numeric(30, 0) not null check (spend_limit >= 0),
  posted numeric(30, 0) not null default 0 check (posted >= 0),
  outstanding numeric(30, 0) not null default 0 check (outstanding >= 0),
  -- How far the account stood above its limit when the limit was lowered, or an upstream charged more than was held.
  -- No grant adds to it.
  excess numeric(30, 0) not null default 0 check (excess >= 0),
  unique (level, name, unit, budget_window, starts_at),
  constraint no_overspend check (posted + outstanding <= spend_limit + excess)
) with (fillfactor = 50);

create table leases (
  lease_id text primary key,
  agent text not null,
  instance text not null,
  scope text not null check (scope in ('agent', 'offline', 'task')),
  task text not null,
  -- Drawn by the sidecar for each lease it wants, so that a lost answer opens no second one.
  nonce text,
  epoch bigint not null,
  state text not null default 'open' check (state in ('open', 'closed', 'written_off')),
  seq bigint not null,
  outcome text not null,
  obstacle jsonb,
  opened_at bigint not null,
  expires_at bigint not null,
  -- The earliest end of the windows it was drawn in: from then on it is only settled.
  window_ends_at bigint,
  -- Of the budgets it was last drawn under: while an ask names the same, its accounts need not be looked up.
  path_digest text not null
) with (fillfactor = 50);
create unique index leases_by_nonce on leases (agent, instance, nonce) where nonce is not null;
create index leases_by_holder on leases (agent, instance, scope, task, epoch);
create index leases_open on leases (lease_id) where state = 'open';

-- A lease in one unit. Without accounts the unit is not limited, and granted is what was posted.
create table slices (
  lease_id text not null references leases,
  unit text not null check (unit in ('nanodollars', 'tokens')),
  account_ids bigint[] not null,
  granted numeric(30, 0) not null default 0 check (granted >= 0),
  posted numeric(30, 0) not null default 0 check (posted >= 0),
  primary key (lease_id, unit),
  constraint posted_within_granted check (posted <= granted)
) with (fillfactor = 50);

create table entries (
  entry_id bigint generated always as identity primary key,
  at bigint not null,
  kind text not null,
  lease_id text,
  account_id bigint,
  unit text,
  granted numeric(30, 0) not null default 0,
  posted numeric(30, 0) not null default 0,
  why text not null
);
create index entries_by_lease on entries (lease_id);

create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'entries are never changed or removed';
end $$;
create trigger entries_are_immutable before update or delete or truncate on entries
  for each statement execute function refuse_change();
