-- The digest of each call's body in a column: the very same call again and again is found without parsing every entry.
ALTER TABLE actions ADD COLUMN IF NOT EXISTS request_digest String DEFAULT JSONExtractString(audit_entry, 'requestDigest') CODEC(ZSTD(1));
