ALTER TABLE actions_local ON CLUSTER 'fleet' ADD COLUMN IF NOT EXISTS would_refusal LowCardinality(String) DEFAULT JSONExtractString(audit_entry, 'wouldRefusal'), ADD COLUMN IF NOT EXISTS error_type LowCardinality(String) DEFAULT JSONExtractString(audit_entry, 'errorType');

ALTER TABLE actions ON CLUSTER 'fleet' ADD COLUMN IF NOT EXISTS would_refusal LowCardinality(String) DEFAULT JSONExtractString(audit_entry, 'wouldRefusal'), ADD COLUMN IF NOT EXISTS error_type LowCardinality(String) DEFAULT JSONExtractString(audit_entry, 'errorType');
