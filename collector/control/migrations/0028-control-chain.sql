-- Control events are links of a chain: sealed once, in the order they are told, so that none can be altered or left out later.

alter table control_events
  add column stream text,
  add column seq bigint,
  add column hash text,
  -- the canonical JSON that the hash is over; null until it is sealed
  add column entry text;

-- Where the chain goes on.
create table control_chain (
  id boolean primary key default true check (id),
  stream text not null default '',
  seq bigint not null default 0,
  head text not null default '',
  -- this database was put back to an earlier state: the links since are elsewhere, so another stream begins
  is_left boolean not null default true
);
insert into control_chain default values;

-- Puts links in their place, all of them or, where the chain has gone on since it was read, none: then false.
create function seal_events(from_stream text, from_seq bigint, to_stream text, to_seq bigint, to_head text, links jsonb)
returns boolean language plpgsql as $$
declare
  placed bigint;
begin
  update control_chain set stream = to_stream, seq = to_seq, head = to_head, is_left = false
    where stream = from_stream and seq = from_seq;
  if not found then
    return false;
  end if;
  update control_events as e set stream = to_stream, seq = link.seq, hash = link.hash, entry = link.entry
    from jsonb_to_recordset(links) as link (id bigint, seq bigint, hash text, entry text)
    where e.id = link.id and e.entry is null;
  get diagnostics placed = row_count;
  if placed <> jsonb_array_length(links) then
    raise exception 'an event was sealed already';
  end if;
  return true;
end $$;
