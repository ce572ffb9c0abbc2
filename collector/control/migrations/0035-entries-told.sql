-- How far the store has been told of the ledger's entries.
create table entries_told (
  only_one boolean primary key default true check (only_one),
  told_to bigint not null,
  -- Where the batch under way ends: kept, so that what is told again is the same.
  cut bigint
);
insert into entries_told (told_to) values (0);

-- The batch under way, or a new one of at most so many entries.
create function entries_to_tell(at_most int) returns setof entries language plpgsql as $$
declare
  told entries_told;
begin
  select * into strict told from entries_told for update;
  if told.cut is null then
    -- Nobody is in the middle of writing one now: a number that is not seen was never used.
    lock table entries in share mode;
    select max(e.entry_id) into told.cut from (
      select entry_id from entries where entry_id > told.told_to order by entry_id limit at_most) as e;
    update entries_told set cut = told.cut;
  end if;
  return query select * from entries where entry_id > told.told_to and entry_id <= told.cut order by entry_id;
end $$;

create function entries_were_told(up_to bigint) returns void language sql as $$
  update entries_told set told_to = up_to, cut = null where cut = up_to
$$;
