-- How people come in by a browser: one-time links, and the sessions they open. Only SHA-256 digests are kept.

create table login_links (
  digest text primary key,
  -- the name of the join token that asked for it
  made_by text not null,
  expires_at bigint not null
);

create table sessions (
  session_id text primary key,
  digest text not null unique,
  opened_by text not null,
  opened_at bigint not null,
  expires_at bigint not null,
  revoked_at bigint
);

-- Keeps the link and forgets those that nobody can use any more.
create function make_login_link(link text, maker text, now_ms bigint, until_ms bigint) returns void language sql as $$
  delete from login_links where expires_at <= now_ms;
  insert into login_links (digest, made_by, expires_at) values (link, maker, until_ms)
$$;

-- The link is used up and the session opened, both or neither. Null when there is no such link in force.
create function open_session(link text, id text, secret text, now_ms bigint, until_ms bigint, sessions_max int)
returns text language plpgsql as $$
declare
  maker text;
begin
  delete from login_links where digest = link and expires_at > now_ms returning made_by into maker;
  if maker is null then
    return null;
  end if;
  delete from sessions where expires_at <= now_ms;
  insert into sessions (session_id, digest, opened_by, opened_at, expires_at) values (id, secret, maker, now_ms, until_ms);
  perform note_event('session_opened', maker, '', '', jsonb_build_object('session', id), now_ms);
  perform revoke_session(session_id, 'collector', now_ms) from sessions where revoked_at is null
    and session_id in (select s.session_id from sessions s order by s.opened_at desc offset sessions_max);
  return maker;
end $$;

-- False when there is no such session, or it is over.
create function revoke_session(id text, actor text, now_ms bigint) returns boolean language plpgsql as $$
begin
  update sessions set revoked_at = now_ms where session_id = id and revoked_at is null and expires_at > now_ms;
  if not found then
    return false;
  end if;
  perform note_event('session_revoked', actor, '', '', jsonb_build_object('session', id), now_ms);
  return true;
end $$;
