ALTER TABLE actions_local ON CLUSTER 'fleet' MODIFY SETTING fsync_after_insert = 1, fsync_part_directory = 1;

ALTER TABLE agent_edge_calls_local ON CLUSTER 'fleet' MODIFY SETTING fsync_after_insert = 1, fsync_part_directory = 1;

ALTER TABLE agent_uses_local ON CLUSTER 'fleet' MODIFY SETTING fsync_after_insert = 1, fsync_part_directory = 1;

ALTER TABLE budget_entry_records_local ON CLUSTER 'fleet' MODIFY SETTING fsync_after_insert = 1, fsync_part_directory = 1;

ALTER TABLE calls_1h_local ON CLUSTER 'fleet' MODIFY SETTING fsync_after_insert = 1, fsync_part_directory = 1;

ALTER TABLE calls_1m_local ON CLUSTER 'fleet' MODIFY SETTING fsync_after_insert = 1, fsync_part_directory = 1;

ALTER TABLE control_event_records_local ON CLUSTER 'fleet' MODIFY SETTING fsync_after_insert = 1, fsync_part_directory = 1;

ALTER TABLE dead_letter_calls_local ON CLUSTER 'fleet' MODIFY SETTING fsync_after_insert = 1, fsync_part_directory = 1;

ALTER TABLE message_bodies_local ON CLUSTER 'fleet' MODIFY SETTING fsync_after_insert = 1, fsync_part_directory = 1;

ALTER TABLE otel_logs_local ON CLUSTER 'fleet' MODIFY SETTING fsync_after_insert = 1, fsync_part_directory = 1;

ALTER TABLE otel_metrics_exponential_histogram_local ON CLUSTER 'fleet' MODIFY SETTING fsync_after_insert = 1, fsync_part_directory = 1;

ALTER TABLE otel_metrics_gauge_local ON CLUSTER 'fleet' MODIFY SETTING fsync_after_insert = 1, fsync_part_directory = 1;

ALTER TABLE otel_metrics_histogram_local ON CLUSTER 'fleet' MODIFY SETTING fsync_after_insert = 1, fsync_part_directory = 1;

ALTER TABLE otel_metrics_sum_local ON CLUSTER 'fleet' MODIFY SETTING fsync_after_insert = 1, fsync_part_directory = 1;

ALTER TABLE otel_metrics_summary_local ON CLUSTER 'fleet' MODIFY SETTING fsync_after_insert = 1, fsync_part_directory = 1;

ALTER TABLE otel_segments_local ON CLUSTER 'fleet' MODIFY SETTING fsync_after_insert = 1, fsync_part_directory = 1;

ALTER TABLE otel_traces_local ON CLUSTER 'fleet' MODIFY SETTING fsync_after_insert = 1, fsync_part_directory = 1;

ALTER TABLE otel_traces_trace_id_ts_local ON CLUSTER 'fleet' MODIFY SETTING fsync_after_insert = 1, fsync_part_directory = 1;

ALTER TABLE policy_records_local ON CLUSTER 'fleet' MODIFY SETTING fsync_after_insert = 1, fsync_part_directory = 1;

ALTER TABLE task_calls_local ON CLUSTER 'fleet' MODIFY SETTING fsync_after_insert = 1, fsync_part_directory = 1;

ALTER TABLE task_ends_local ON CLUSTER 'fleet' MODIFY SETTING fsync_after_insert = 1, fsync_part_directory = 1;

ALTER TABLE tool_requests_local ON CLUSTER 'fleet' MODIFY SETTING fsync_after_insert = 1, fsync_part_directory = 1;

ALTER TABLE tools_1h_local ON CLUSTER 'fleet' MODIFY SETTING fsync_after_insert = 1, fsync_part_directory = 1;
