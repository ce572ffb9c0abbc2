ALTER TABLE actions_local ON CLUSTER 'fleet' ADD COLUMN IF NOT EXISTS request_digest String DEFAULT JSONExtractString(audit_entry, 'requestDigest') CODEC(ZSTD(1));

ALTER TABLE actions ON CLUSTER 'fleet' ADD COLUMN IF NOT EXISTS request_digest String DEFAULT JSONExtractString(audit_entry, 'requestDigest');
