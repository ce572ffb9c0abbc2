-- Agents that were found to degrade, so that each finding is noted once and ends once; and when a rule last held one apart.

create table degradations (
  agent text not null,
  kind text not null check (kind in ('failures', 'loop', 'tokens')),
  since bigint not null,
  primary key (agent, kind)
);

create table rule_quarantines (agent text primary key, last_at bigint not null);

-- True for what is news.
create function note_degradation(of_agent text, of_kind text, why text, details jsonb, now_ms bigint)
returns boolean language plpgsql as $$
begin
  insert into degradations (agent, kind, since) values (of_agent, of_kind, now_ms) on conflict do nothing;
  if not found then
    return false;
  end if;
  perform note_event('agent_degraded', 'collector', of_agent, why, details, now_ms);
  return true;
end $$;

-- Ends what is found no more. While an agent is held apart nothing is: then it has not recovered.
create function end_degradation(of_agent text, of_kind text, now_ms bigint) returns boolean language plpgsql as $$
begin
  delete from degradations where agent = of_agent and kind = of_kind
    and not exists (select from quarantines where subject = 'agent/' || of_agent);
  if not found then
    return false;
  end if;
  perform note_event('agent_recovered', 'collector', of_agent, '', jsonb_build_object('kind', of_kind), now_ms);
  return true;
end $$;

-- Whether a rule may hold an agent apart: not a second time within `rest_ms`, for then a person has to decide.
create function claim_rule_quarantine(of_agent text, rest_ms bigint, now_ms bigint) returns boolean language plpgsql as $$
begin
  insert into rule_quarantines as known (agent, last_at) values (of_agent, now_ms)
    on conflict (agent) do update set last_at = excluded.last_at where known.last_at <= now_ms - rest_ms;
  return found;
end $$;
