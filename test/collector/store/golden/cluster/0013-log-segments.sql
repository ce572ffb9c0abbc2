CREATE MATERIALIZED VIEW IF NOT EXISTS otel_segments_logs_mv ON CLUSTER 'fleet' TO otel_segments_local AS
SELECT SegmentId, count() AS Spans, min(ReceivedAt) AS FirstReceivedAt, max(ReceivedAt) AS LastReceivedAt
FROM otel_logs_local AS otel_logs
GROUP BY SegmentId;
