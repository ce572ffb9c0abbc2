// What every request to a server says of itself, never by the server's default: what our promises rest on must not depend
// on a profile that somebody else writes. Names and meanings: clickhouse.com/docs/operations/settings/settings.

const EVERYWHERE = {
  // Exactly once: a block is told apart by our token in the table and in every one that a view fills from it.
  async_insert: '0',
  deduplicate_insert: 'enable',
  // `when_possible` asks whether the SELECT is stable; ours is, by token and block size, which it does not look at.
  deduplicate_insert_select: 'enable_even_for_bad_queries',
  deduplicate_blocks_in_dependent_materialized_views: '1',
  // Money and sequence numbers pass 2⁵³: as text.
  output_format_json_quote_64bit_integers: '1',
  output_format_json_quote_decimals: '1',
  session_timezone: 'UTC',
} as const;

const ON_A_CLUSTER = {
  // Answered when the shards have it, not when it waits in a folder of the server that was asked.
  distributed_foreground_insert: '1',
  // Answered when more than half of a shard's replicas have it.
  insert_quorum: 'auto',
  // Subqueries run once and are sent to the shards: a call and what it is compared with may stand on different ones.
  distributed_product_mode: 'global',
  // A migration is done when every server has it, and failed when one has not.
  distributed_ddl_output_mode: 'throw',
} as const;

export const settingsFor = (cluster: string | null): Readonly<Record<string, string>> =>
  cluster === null ? EVERYWHERE : { ...EVERYWHERE, ...ON_A_CLUSTER };
