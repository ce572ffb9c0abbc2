-- Which tables of the store are to be made anew from what they are counted from: a start goes on where the last one ended.

create table rebuilds (
  place integer primary key,
  table_name text not null,
  actor text not null,
  asked_at bigint not null
);
