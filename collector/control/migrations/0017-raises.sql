-- Raises: what an operator lets a budget have beyond its configured limit, for a while.

create table raises (
  raise_id text primary key,
  level text not null,
  name text not null,
  unit text not null,
  budget_window text not null,
  amount numeric(30, 0) not null check (amount > 0),
  made_at bigint not null,
  ends_at bigint not null,
  -- null while it is in force
  ended_at bigint,
  actor text not null,
  reason text not null
);
create index raises_in_force on raises (ends_at) where ended_at is null;

-- What raises in force add to a budget's limit, in whichever of its windows.
create function raised(of_level text, of_name text, of_unit text, of_window text)
returns numeric language sql stable as $$
  select coalesce(sum(r.amount), 0) from raises r
  where r.ended_at is null and r.level = of_level and r.name = of_name and r.unit = of_unit
    and r.budget_window = of_window
$$;

-- Whom an account concerns: the agent of an agent's or a task's, nobody else's.
create function agent_of(of_level text, of_name text) returns text language sql immutable as $$
  select case of_level when 'agent' then of_name when 'task' then split_part(of_name, '/', 1) else '' end
$$;

-- Gives an account another limit. What stands above it is excess: no grant adds to that.
create function limit_account(id bigint, of_limit numeric, of_kind text, reason text, now_ms bigint)
returns void language plpgsql as $$
begin
  update accounts set spend_limit = of_limit, excess = greatest(0, posted + outstanding - of_limit)
    where account_id = id;
  insert into entries (at, kind, account_id, unit, why)
    select now_ms, of_kind, id, unit, reason from accounts where account_id = id;
end $$;

-- The accounts of a path, made when missing, with the limits of the configuration in force and what raises add to them:
-- one leg for each unit.
-- path: [{level, name, unit, window, starts_at, ends_at, limit}]
create or replace function legs_on(path jsonb, now_ms bigint) returns leg[] language plpgsql as $$
declare
  wanted record;
  known accounts;
  in_force numeric;
  dollars bigint[] := '{}';
  tokens bigint[] := '{}';
begin
  -- One by one, by the unique index: a path is short, and no statistics are needed to find that index.
  for wanted in select * from jsonb_to_recordset(path) as p(level text, name text, unit text, "window" text,
    starts_at bigint, ends_at bigint, "limit" numeric)
  loop
    in_force := wanted."limit" + raised(wanted.level, wanted.name, wanted.unit, wanted."window");
    select * into known from accounts a where a.level = wanted.level and a.name = wanted.name
      and a.unit = wanted.unit and a.budget_window = wanted."window" and a.starts_at = wanted.starts_at;
    if known.account_id is null then
      insert into accounts (level, name, unit, budget_window, starts_at, ends_at, spend_limit)
        values (wanted.level, wanted.name, wanted.unit, wanted."window", wanted.starts_at, wanted.ends_at, in_force)
        returning * into known;
    elsif known.spend_limit <> in_force then
      perform limit_account(known.account_id, in_force, 'limit',
        format('the configuration sets it to %s', wanted."limit"), now_ms);
    end if;
    if wanted.unit = 'tokens' then
      tokens := tokens || known.account_id;
    else
      dollars := dollars || known.account_id;
    end if;
  end loop;
  return array[row ('nanodollars', dollars)::leg, row ('tokens', tokens)::leg];
end $$;

-- Puts a raise in force, on the account of now and on those of windows that begin while it is.
-- made: {id, level, name, unit, window, amount, ends_at, actor, reason}
create function make_raise(made jsonb, now_ms bigint) returns void language plpgsql as $$
declare
  account accounts;
  more numeric := (made ->> 'amount')::numeric;
begin
  perform pg_advisory_xact_lock(4319);
  insert into raises (raise_id, level, name, unit, budget_window, amount, made_at, ends_at, actor, reason)
    values (made ->> 'id', made ->> 'level', made ->> 'name', made ->> 'unit', made ->> 'window', more, now_ms,
      (made ->> 'ends_at')::bigint, made ->> 'actor', made ->> 'reason');
  for account in select * from accounts_running(made ->> 'level', made ->> 'name', made ->> 'unit',
    made ->> 'window', now_ms)
  loop
    perform limit_account(account.account_id, account.spend_limit + more, 'raised',
      format('raise %s adds %s until %s: %s', made ->> 'id', more, made ->> 'ends_at', made ->> 'reason'), now_ms);
  end loop;
  perform note_event('budget_raised', made ->> 'actor', agent_of(made ->> 'level', made ->> 'name'),
    made ->> 'reason', jsonb_build_object('raise', made ->> 'id', 'level', made ->> 'level', 'name', made ->> 'name',
      'unit', made ->> 'unit', 'window', made ->> 'window', 'amount', made ->> 'amount',
      'until', (made ->> 'ends_at')::bigint), now_ms);
end $$;

create function accounts_running(of_level text, of_name text, of_unit text, of_window text, now_ms bigint)
returns setof accounts language sql stable as $$
  select * from accounts a where a.level = of_level and a.name = of_name and a.unit = of_unit
    and a.budget_window = of_window and (a.ends_at is null or a.ends_at > now_ms)
$$;

-- Ends one raise (which), or all whose time is over (null). Slices that now stand above the limit are called back.
create function end_raises(which text, by_actor text, why text, now_ms bigint)
returns table (ended text, recalls jsonb) language plpgsql as $$
declare
  over raises;
  account accounts;
begin
  perform pg_advisory_xact_lock(4319);
  for over in select * from raises r where r.ended_at is null
    and case when which is null then r.ends_at <= now_ms else r.raise_id = which end
  loop
    ended := over.raise_id;
    recalls := '[]';
    update raises set ended_at = now_ms where raise_id = over.raise_id;
    for account in select * from accounts_running(over.level, over.name, over.unit, over.budget_window, now_ms) loop
      perform limit_account(account.account_id, greatest(0, account.spend_limit - over.amount), 'raise_ended',
        format('raise %s of %s is over: %s', over.raise_id, over.amount, why), now_ms);
      if account.outstanding > 0 and account.posted + account.outstanding > account.spend_limit - over.amount then
        recalls := recalls || recalls_of(account.account_id, null);
      end if;
    end loop;
    perform note_event('budget_raise_ended', by_actor, agent_of(over.level, over.name), why,
      jsonb_build_object('raise', over.raise_id, 'level', over.level, 'name', over.name, 'unit', over.unit,
        'window', over.budget_window, 'amount', over.amount::text), now_ms);
    return next;
  end loop;
end $$;

-- One ask of a sidecar and what stands around it: raises that are over have ended before it is answered.
create function budget_step(ask jsonb) returns jsonb language plpgsql as $$
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
  return answer;
end $$;
