-- Is any record missing from the chains that sidecars write?
-- When: at each audit. Each stream counts from 0 without a gap; the newest may be on their way.
-- Parameters: none
-- Columns: audit_stream, records, last_seq, missing, twice
SELECT
  audit_stream, groupBitmap(audit_seq) AS records, max(audit_seq) AS last_seq,
  last_seq + 1 - records AS missing,
  count() - records AS twice
FROM actions
GROUP BY audit_stream
ORDER BY missing DESC, twice DESC, audit_stream

-- An answer, of a practice fleet:
--    ┌─audit_stream───────────┬─records─┬─last_seq─┬─missing─┬─twice─┐
-- 1. │ planner/other/c31a2498 │       1 │        0 │       0 │     0 │
-- 2. │ sidecar/vm/3d1fe1db    │      29 │       28 │       0 │     0 │
--    └────────────────────────┴─────────┴──────────┴─────────┴───────┘
