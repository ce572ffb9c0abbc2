-- Alerts: what is or was wrong, what nobody wants to hear of for now, and what the channels must still be told.

create table alert_incidents (
  incident_id bigint generated always as identity primary key,
  alert text not null,
  key text not null,
  severity text not null check (severity in ('critical', 'warning', 'info')),
  agent text not null,
  task text not null,
  owner text not null,
  summary text not null,
  value double precision not null,
  details jsonb not null,
  since bigint not null,
  seen_at bigint not null,
  fired_at bigint,
  told_at bigint,
  resolved_at bigint,
  acknowledged_by text not null default '',
  acknowledged_at bigint
);
create unique index alert_incidents_open on alert_incidents (alert, key) where resolved_at is null;
create index alert_incidents_past on alert_incidents (resolved_at desc) where resolved_at is not null;

create table alert_silences (
  silence_id bigint generated always as identity primary key,
  matchers jsonb not null,
  reason text not null,
  made_by text not null,
  made_at bigint not null,
  ends_at bigint not null
);

-- The outbox. A channel is a name in the configuration; its secret is never kept here.
create table alert_sends (
  send_id bigint generated always as identity primary key,
  incident_id bigint references alert_incidents on delete cascade,
  channel text not null,
  dedup_key text not null,
  page jsonb not null,
  enqueued_at bigint not null,
  next_at bigint not null,
  attempts int not null default 0,
  state text not null default 'waiting' check (state in ('waiting', 'delivered', 'failed')),
  answer text not null default '',
  ended_at bigint
);
create index alert_sends_waiting on alert_sends (channel, dedup_key, send_id) where state = 'waiting';
create index alert_sends_of on alert_sends (incident_id);

-- What is done once and must not be done again after a restart: a digest, by its name.
create table alert_marks (name text primary key, at bigint not null);

-- Takes one round: every incident as it now is, with what its channels are told and what the record says, or none.
-- steps: [{incident: {id, alert, key, …}, change, sends: [{channel, page}]}]
create function keep_incidents(steps jsonb, now_ms bigint) returns void language plpgsql as $$
declare
  step jsonb;
  it jsonb;
  kept bigint;
begin
  for step in select * from jsonb_array_elements(steps) loop
    it := step -> 'incident';
    if step ->> 'change' = 'forgotten' then
      delete from alert_incidents where incident_id = (it ->> 'id')::bigint and fired_at is null;
      continue;
    end if;
    kept := (it ->> 'id')::bigint;
    if kept is null then
      insert into alert_incidents (alert, key, severity, agent, task, owner, summary, value, details, since, seen_at)
        values (it ->> 'alert', it ->> 'key', it ->> 'severity', it ->> 'agent', it ->> 'task', it ->> 'owner',
          it ->> 'summary', (it ->> 'value')::double precision, it -> 'details', (it ->> 'sinceMs')::bigint,
          (it ->> 'seenMs')::bigint)
        on conflict (alert, key) where resolved_at is null do update set key = excluded.key
        returning incident_id into kept;
    end if;
    update alert_incidents set severity = it ->> 'severity', agent = it ->> 'agent', task = it ->> 'task',
        owner = it ->> 'owner', summary = it ->> 'summary', value = (it ->> 'value')::double precision,
        details = it -> 'details', seen_at = (it ->> 'seenMs')::bigint, fired_at = (it ->> 'firedMs')::bigint,
        told_at = (it ->> 'toldMs')::bigint, resolved_at = (it ->> 'resolvedMs')::bigint
      where incident_id = kept;
    insert into alert_sends (incident_id, channel, dedup_key, page, enqueued_at, next_at)
      select kept, s ->> 'channel', s -> 'page' ->> 'dedup_key', s -> 'page', now_ms, now_ms
      from jsonb_array_elements(step -> 'sends') as s;
    if step ->> 'change' in ('fired', 'resolved') then
      perform note_event('alert_' || (step ->> 'change'), 'collector', it ->> 'agent', it ->> 'summary',
        jsonb_build_object('alert', it ->> 'alert', 'key', it ->> 'key', 'severity', it ->> 'severity',
          'task', it ->> 'task', 'owner', it ->> 'owner', 'value', it -> 'value'), now_ms);
    end if;
  end loop;
end $$;

-- Somebody has taken an alert on: its repeats stop, and the channels that were told hear it. Answers how many it was.
create function acknowledge_alert(of_alert text, of_key text, by_whom text, why text, now_ms bigint)
returns table (incident_id bigint) language plpgsql as $$
#variable_conflict use_column
declare
  it alert_incidents;
begin
  for it in
    update alert_incidents set acknowledged_by = by_whom, acknowledged_at = now_ms
    where alert = of_alert and (of_key is null or key = of_key) and resolved_at is null and fired_at is not null
      and acknowledged_by = ''
    returning *
  loop
    insert into alert_sends (incident_id, channel, dedup_key, page, enqueued_at, next_at)
      select distinct on (s.channel) s.incident_id, s.channel, s.dedup_key,
        s.page || jsonb_build_object('action', 'acknowledge'), now_ms, now_ms
      from alert_sends s where s.incident_id = it.incident_id and s.page ->> 'action' = 'trigger'
      order by s.channel, s.send_id desc;
    perform note_event('alert_acknowledged', by_whom, it.agent, why,
      jsonb_build_object('alert', it.alert, 'key', it.key, 'task', it.task), now_ms);
    incident_id := it.incident_id;
    return next;
  end loop;
end $$;
