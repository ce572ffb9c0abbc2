-- What is held apart until somebody looks. Each change notes itself in its own transaction.

-- One row. Its lock puts changes in a line, so that a number never tells of a change that is not there yet.
create table quarantine_list (one boolean primary key default true check (one), revision bigint not null);
insert into quarantine_list (revision) values (0);

create table quarantines (
  -- as people write it: agent/trend-scout, model/openai/gpt-5-mini, fleet
  subject text primary key,
  reason text not null check (reason <> ''),
  set_at bigint not null,
  -- null: until it is lifted; what a rule set always ends by itself
  until bigint check (until is not null or set_by = 'person'),
  actor text not null,
  set_by text not null check (set_by in ('person', 'rule'))
);

-- False where a rule finds it held apart already: a rule never shortens what a person decided.
create function set_quarantine(
  of_subject text, of_agent text, why text, until_ms bigint, by_actor text, by_kind text, details jsonb, now_ms bigint
) returns boolean language plpgsql as $$
begin
  insert into quarantines (subject, reason, set_at, until, actor, set_by)
    values (of_subject, why, now_ms, until_ms, by_actor, by_kind)
    on conflict (subject) do update set reason = excluded.reason, set_at = excluded.set_at, until = excluded.until,
      actor = excluded.actor, set_by = excluded.set_by
    where excluded.set_by = 'person';
  if not found then
    return false;
  end if;
  update quarantine_list set revision = revision + 1;
  perform note_event('quarantine_set', by_actor, of_agent, why, details, now_ms);
  return true;
end $$;

-- Lifts one, or (null) all whose time is over. Returns which; a second call none.
create function lift_quarantines(of_subject text, by_actor text, why text, now_ms bigint)
returns setof text language plpgsql as $$
declare
  gone record;
begin
  for gone in
    delete from quarantines
    where case when of_subject is null then until <= now_ms else subject = of_subject end
    returning subject, reason, set_at, actor, set_by
  loop
    update quarantine_list set revision = revision + 1;
    perform note_event(case when of_subject is null then 'quarantine_expired' else 'quarantine_lifted' end,
      by_actor, case when split_part(gone.subject, '/', 1) in ('agent', 'task') then split_part(gone.subject, '/', 2)
        else '' end, why,
      jsonb_build_object('subject', gone.subject, 'kind', split_part(gone.subject, '/', 1), 'set_for', gone.reason,
        'set_at', gone.set_at, 'set_actor', gone.actor, 'by', gone.set_by), now_ms);
    return next gone.subject;
  end loop;
end $$;
