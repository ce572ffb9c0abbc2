-- Definitions of tools: the first one seen is pinned, another is noted once and waits to be accepted.

create sequence tool_revisions;

create table tools (
  upstream text not null,
  tool text not null,
  digest text not null,
  since bigint not null,
  -- the agent that was shown it first, or who accepted it
  accepted_by text not null,
  -- what was seen last, where that is or was another definition; null while all is well
  seen_digest text,
  -- grows with every change of any line
  revision bigint not null default nextval('tool_revisions'),
  primary key (upstream, tool)
);

-- Notes a definition that an agent was shown. Returns the line.
create function see_tool(
  of_upstream text, of_tool text, seen text, of_agent text, by_actor text, now_ms bigint
) returns setof tools language plpgsql as $$
declare
  line tools;
begin
  insert into tools (upstream, tool, digest, since, accepted_by)
    values (of_upstream, of_tool, seen, now_ms, of_agent) on conflict do nothing;
  select * into line from tools where upstream = of_upstream and tool = of_tool for update;
  if coalesce(line.seen_digest, line.digest) <> seen then
    update tools set seen_digest = seen, revision = nextval('tool_revisions')
      where upstream = of_upstream and tool = of_tool;
    if line.digest <> seen then
      perform note_event('tool_changed', by_actor, of_agent, '', jsonb_build_object('upstream', of_upstream,
        'tool', of_tool, 'digest', line.digest, 'seen', seen), now_ms);
    end if;
  end if;
  return query select * from tools where upstream = of_upstream and tool = of_tool;
end $$;

-- Pins what was seen last. Returns the line; none where the tool is not known.
create function accept_tool(of_upstream text, of_tool text, by_actor text, now_ms bigint)
returns setof tools language plpgsql as $$
declare
  line tools;
begin
  select * into line from tools where upstream = of_upstream and tool = of_tool for update;
  if found and line.seen_digest is not null then
    update tools set digest = seen_digest, seen_digest = null, since = now_ms, accepted_by = by_actor,
      revision = nextval('tool_revisions') where upstream = of_upstream and tool = of_tool;
    perform note_event('tool_accepted', by_actor, '', '', jsonb_build_object('upstream', of_upstream,
      'tool', of_tool, 'digest', line.seen_digest, 'before', line.digest), now_ms);
  end if;
  return query select * from tools where upstream = of_upstream and tool = of_tool;
end $$;
