-- Which counted tables of the store may lack what a killed server had noted and did not have, until they are made anew.

create table sums_in_doubt (
  table_name text primary key,
  segment text not null,
  since_ms bigint not null
);

-- Those that were in doubt before stay as they are, and are not noted twice.
create function doubt_sums(tables text[], of_segment text, now_ms bigint) returns void language plpgsql as $$
declare
  added text[];
begin
  with doubted as (
    insert into sums_in_doubt (table_name, segment, since_ms)
    select name, of_segment, now_ms from unnest(tables) as name
    on conflict (table_name) do nothing returning table_name
  ) select array_agg(table_name order by table_name) into added from doubted;
  if added is not null then
    perform note_event('sums_in_doubt', 'collector', '', '',
      jsonb_build_object('tables', to_jsonb(added), 'segment', of_segment), now_ms);
  end if;
end $$;

-- One table was made anew: it is left out of what is to be done, and in doubt no more.
create function table_rebuilt(rebuilt text, now_ms bigint) returns void language plpgsql as $$
begin
  delete from rebuilds where table_name = rebuilt;
  delete from sums_in_doubt where table_name = rebuilt;
  perform note_event('rebuild_done', 'collector', '', '', jsonb_build_object('table', rebuilt), now_ms);
end $$;
