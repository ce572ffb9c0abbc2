-- Tokens have a kind, claims that their holders are bound to, and an end; those of before are operators', as they were.

alter table tokens
  add column kind text not null default 'operator' check (kind in ('operator', 'sidecar', 'reader', 'telemetry')),
  -- {"agent": ["scout"]}: contract/token.ts
  add column claims jsonb not null default '{}',
  add column created_by text not null default 'collector',
  add column expires_at bigint;

-- False when the name is taken, also by a token that was revoked.
create function create_token(order_ jsonb, token_digest text, by_actor text, now_ms bigint)
returns boolean language plpgsql as $$
begin
  insert into tokens (name, digest, kind, claims, created_by, created_at, expires_at)
    values (order_ ->> 'name', token_digest, order_ ->> 'kind', order_ -> 'claims', by_actor, now_ms,
      now_ms + (order_ ->> 'for_ms')::bigint)
    on conflict (name) do nothing;
  if not found then
    return false;
  end if;
  perform note_event('token_created', by_actor, '', '', jsonb_build_object('token', order_ ->> 'name', 'kind',
    order_ ->> 'kind', 'claims', order_ -> 'claims', 'expires_at', now_ms + (order_ ->> 'for_ms')::bigint), now_ms);
  return true;
end $$;

-- False when there is no such token, or it is revoked already.
create function revoke_token(of_name text, by_actor text, now_ms bigint) returns boolean language plpgsql as $$
begin
  update tokens set revoked_at = now_ms where name = of_name and revoked_at is null;
  if not found then
    return false;
  end if;
  perform note_event('token_revoked', by_actor, '', '', jsonb_build_object('token', of_name), now_ms);
  return true;
end $$;
