-- How many log records of each segment were stored: what a load answers, as it does for spans.
CREATE MATERIALIZED VIEW IF NOT EXISTS otel_segments_logs_mv TO otel_segments AS
SELECT SegmentId, count() AS Spans, min(ReceivedAt) AS FirstReceivedAt, max(ReceivedAt) AS LastReceivedAt
FROM otel_logs
GROUP BY SegmentId;
