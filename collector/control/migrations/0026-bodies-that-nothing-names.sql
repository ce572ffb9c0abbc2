-- A body is kept while a dead letter names it: one agent that fails the same way with other headers each time leaves no room for others.

create index dead_letters_by_request on dead_letters (request) where request <> '';
create index dead_letters_by_answer on dead_letters (answer) where answer <> '';

create function is_named(body text) returns boolean language sql stable as $$
  select body <> '' and (exists (select from dead_letters where request = body and request <> '')
    or exists (select from dead_letters where answer = body and answer <> ''))
$$;

-- The next call's bodies take the place of those of the one before.
create function erase_what_was_named() returns trigger language plpgsql as $$
begin
  delete from kept_bodies where sha256 in (old.request, old.answer) and not is_named(sha256);
  return null;
end $$;
create trigger bodies_go_with_their_names after update of request, answer on dead_letters
  for each row when (old.request <> new.request or old.answer <> new.answer) execute function erase_what_was_named();

-- Forgets closed letters, bodies that are too old or that no letter came for, and all but the last calls of each letter once
-- no record of them can come again.
create or replace function tidy_dead_letters(
  closed_before bigint, bodies_before bigint, calls_before bigint, calls_kept integer
) returns void language sql as $$
  delete from dead_letters where closed_at < closed_before;
  update dead_letters set not_kept = 'erased', request = '', answer = ''
    where last_seen < bodies_before and (request <> '' or answer <> '');
  delete from kept_bodies where kept_at < bodies_before or (kept_at < calls_before and not is_named(sha256));
  delete from dead_letter_calls c using (
    select call_id, row_number() over (partition by letter_id order by at desc) as place from dead_letter_calls
  ) as ranked where ranked.call_id = c.call_id and place > calls_kept and c.at < calls_before;
$$;
