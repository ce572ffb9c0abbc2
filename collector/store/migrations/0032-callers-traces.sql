-- Calls that another trace began are found by it: a trace's own page asks for them each time.
ALTER TABLE actions ADD INDEX IF NOT EXISTS idx_parent_trace_id parent_trace_id TYPE bloom_filter(0.01) GRANULARITY 1;
