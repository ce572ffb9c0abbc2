ALTER TABLE actions_local ON CLUSTER 'fleet' ADD INDEX IF NOT EXISTS idx_parent_trace_id parent_trace_id TYPE bloom_filter(0.01) GRANULARITY 1;
