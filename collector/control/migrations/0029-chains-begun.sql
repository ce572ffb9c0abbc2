-- Streams that sidecars began because they had to leave another: each is noted once, however often it is said.

create table chains_begun (
  stream text primary key,
  at bigint not null
);

create function note_chain_begun(
  of_agent text, of_instance text, of_stream text, left_for jsonb, by_actor text, now_ms bigint
) returns void language plpgsql as $$
begin
  insert into chains_begun (stream, at) values (of_stream, now_ms) on conflict do nothing;
  if found then
    perform note_event('records_damaged', by_actor, of_agent, 'the sidecar''s journal had lost records',
      left_for || jsonb_build_object('instance', of_instance, 'stream', of_stream), now_ms);
  end if;
end $$;
