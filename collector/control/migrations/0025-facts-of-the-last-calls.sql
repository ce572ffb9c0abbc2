-- Of a letter's failed calls only the last say more than their ids: an agent that fails a million times a day fills no disk with them.

-- Ids are kept, for a record that is read twice is counted once. As many as are shown (dead-letters.ts: CALLS_KEPT).
create function forget_older_facts() returns trigger language plpgsql as $$
begin
  update dead_letter_calls set facts = '{}' where call_id = (
    select call_id from dead_letter_calls where letter_id = new.letter_id order by at desc offset 20 limit 1);
  return null;
end $$;
create trigger only_the_last_calls_say_more after insert on dead_letter_calls
  for each row execute function forget_older_facts();
