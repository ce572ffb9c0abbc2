-- How many leaves of which log each place outside has a checkpoint of: none is told twice, and one that lags is seen.
create table audit_anchors (
  anchor text not null,
  origin text not null,
  size bigint not null,
  anchored_ms bigint not null,
  primary key (anchor, origin)
);
