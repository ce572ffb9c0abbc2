// What goes on with a call to those who act for this agent: who calls them, who first granted the work, in which task and
// how deep. A sidecar on their side reads it back (accept/lineage.ts); nobody else is told.

import type { AgentIdentity, Lineage } from './call.ts';

const DEPTH_MAX = 64;

/** A W3C baggage header: the members that came, and ours. */
export function stamped(lineage: Lineage, { name }: AgentIdentity): string {
  const ours = {
    'outrider.caller': name,
    'outrider.grantor': lineage.grantor || name,
    'outrider.task': encodeURIComponent(lineage.task),
    'outrider.depth': String(Math.min(lineage.depth + 1, DEPTH_MAX)),
    'outrider.trace': lineage.parentTraceId || lineage.traceId,
  };
  const members = Object.entries(ours).map(([key, value]) => `${key}=${value}`);
  return [...(lineage.baggage ? [lineage.baggage] : []), ...members].join(',');
}
