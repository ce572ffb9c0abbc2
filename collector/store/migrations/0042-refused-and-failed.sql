-- What enforcing would have refused a call with, and what its failure was, in columns: nobody parses entries to count them.
ALTER TABLE actions
  ADD COLUMN IF NOT EXISTS would_refusal LowCardinality(String) DEFAULT JSONExtractString(audit_entry, 'wouldRefusal'),
  ADD COLUMN IF NOT EXISTS error_type LowCardinality(String) DEFAULT JSONExtractString(audit_entry, 'errorType');
