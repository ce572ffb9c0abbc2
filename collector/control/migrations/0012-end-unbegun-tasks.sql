-- A task begins at the ledger with its first lease. One whose calls were all free never did, and ends nevertheless.

drop function end_task(text, text, text, bigint, text, bigint);

-- Ends a task; ending it twice changes nothing. One that was never begun is ended only if `is_known` (the agent is one
-- of the fleet's), else that is false.
create function end_task(
  of_agent text, of_task text, how text, units bigint, by_actor text, is_known boolean, now_ms bigint
) returns boolean language plpgsql as $$
begin
  update tasks set state = how, ended_at = now_ms, output_units = units
    where agent = of_agent and task = of_task and state = 'open';
  if not found then
    if not is_known then
      return exists (select from tasks where agent = of_agent and task = of_task);
    end if;
    insert into tasks (agent, task, state, opened_at, ended_at, output_units)
      values (of_agent, of_task, how, now_ms, now_ms, units) on conflict (agent, task) do nothing;
    if not found then
      return true;
    end if;
  end if;
  insert into entries (at, kind, why)
    values (now_ms, 'task_ended', format('task %s of agent %s is %s', of_task, of_agent, how));
  perform note_event('task_ended', by_actor, of_agent, '',
    jsonb_strip_nulls(jsonb_build_object('task', of_task, 'state', how, 'output_units', units)), now_ms);
  return true;
end $$;
