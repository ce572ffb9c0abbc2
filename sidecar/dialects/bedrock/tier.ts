// The tier that serves a call, in the same words for what was asked and what answered.

/** `flex`, `priority`, `reserved`, and `optimized` for latency: each has rates of its own. Null for the ordinary one. */
export function tierOf(latency: string | null, tier: string | null): string | null {
  if (latency !== null && latency !== 'standard') return latency;
  return tier === 'default' ? null : tier;
}
