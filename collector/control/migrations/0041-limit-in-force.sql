-- A task that may not begin is told of the limit in force: an account shows the one of when something was last drawn of it.

-- The first lease of a task begins it. Null when it may, else the refusal: too many are open, or the money that new
-- tasks may not touch (grace) is all that is left. What was spent already needs nobody's leave.
create or replace function open_task(ask jsonb) returns jsonb language plpgsql as $$
declare
  of_agent text := ask ->> 'agent';
  of_task text := ask ->> 'task';
  reports boolean := amount(ask, 'posted', 'nanodollars') > 0 or amount(ask, 'posted', 'tokens') > 0;
  tightest record;
  open_count bigint;
begin
  if ask ->> 'scope' <> 'task' or exists (
    select from tasks where agent = of_agent and task = of_task and state = 'open') then
    return null;
  end if;

  select obstacle_of(a, 0) || jsonb_build_object('limit', l.in_force::text) as obstacle, a.posted < l.in_force as has_room
    into tightest
    from jsonb_to_recordset(ask -> 'grace_path')
      as p(level text, name text, unit text, "window" text, starts_at bigint, "limit" numeric)
    cross join lateral (select * from accounts k where k.level = p.level and k.name = p.name and k.unit = p.unit
      and k.budget_window = p."window" and k.starts_at = p.starts_at limit 1) a
    cross join lateral (select p."limit" + raised(p.level, p.name, p.unit, p."window") as in_force) l
    where not reports and a.posted * 100 >= l.in_force * (100 - (ask ->> 'grace_percent')::numeric)
    order by has_room limit 1;
  if found then
    return jsonb_build_object('outcome', 'over_budget', 'obstacle', tightest.obstacle
      || case when tightest.has_room then '{"reason": "grace"}'::jsonb else '{}' end);
  end if;

  select count(*) into open_count from tasks where agent = of_agent and state = 'open';
  if not reports and open_count >= (ask ->> 'tasks_max')::bigint then
    return jsonb_build_object('outcome', 'over_budget', 'obstacle', jsonb_build_object('level', 'task',
      'name', format('open tasks of %s', of_agent), 'window', 'task', 'unit', 'tasks', 'limit', ask ->> 'tasks_max',
      'posted', open_count::text, 'held', '0', 'needed', '1', 'resetsAt', null));
  end if;

  insert into tasks (agent, task, opened_at) values (of_agent, of_task, (ask ->> 'at')::bigint)
    on conflict (agent, task) do update set state = 'open', opened_at = excluded.opened_at, ended_at = null;
  insert into entries (at, kind, why)
    values ((ask ->> 'at')::bigint, 'task_opened', format('task %s of agent %s', of_task, of_agent));
  return null;
end $$;
