-- The last checkpoint of each hour that the collector signed of its log: apart from the log, so that a log set back is noticed.
create table checkpoints (
  origin text not null,
  hour bigint not null,
  size bigint not null,
  root text not null,
  signed_ms bigint not null,
  note text not null,
  primary key (origin, hour)
);

-- A later one of the same hour takes the place of the one before.
create function keep_checkpoint(of_origin text, leaves bigint, its_root text, at_ms bigint, its_note text, keep_ms bigint)
returns void language sql as $$
  insert into checkpoints (origin, hour, size, root, signed_ms, note)
  values (of_origin, at_ms / 3600000, leaves, its_root, at_ms, its_note)
  on conflict (origin, hour) do update
    set size = excluded.size, root = excluded.root, signed_ms = excluded.signed_ms, note = excluded.note
    where checkpoints.size <= excluded.size;
  delete from checkpoints where signed_ms < at_ms - keep_ms;
$$;
