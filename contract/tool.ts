// Definitions of tools, pinned: the first one the fleet is shown is the one that holds, until somebody accepts another.
// What sidecars report, what the collector keeps, and what it tells every sidecar.

/** A tool's definition as a server showed it. */
export interface ToolSighting {
  readonly upstream: string;
  readonly tool: string;
  /** Lower-case hex SHA-256 over its canonical JSON. */
  readonly digest: string;
}

/** POST /v1/tools: what an agent was shown that its sidecar did not know. Answered with the lines of these tools. */
export interface ToolReport {
  readonly agent: string;
  readonly tools: readonly ToolSighting[];
}

/** POST /v1/tools/accept: the definition seen last is the one that holds from now on. */
export interface ToolAcceptance {
  readonly upstream: string;
  readonly tool: string;
}

/** GET /v1/tools. `changed`: hidden from lists, calls of it refused, until the new definition is accepted. */
export interface ToolLine extends ToolSighting {
  readonly state: 'pinned' | 'changed';
  /** The other definition that was seen last; null while there is none. */
  readonly seen_digest: string | null;
  /** Since when the digest holds, ISO 8601. */
  readonly since: string;
  /** Who accepted it: an agent that was shown it first, or whoever ran `outrider tools accept`. */
  readonly accepted_by: string;
}

/** GET /v1/events, event `tools`, and in each heartbeat's answer: another number than before says that lines changed. */
export interface ToolsNotice {
  readonly revision: number;
}

export const TOOL_SIGHTINGS_MAX = 500;
export const TOOLS_MAX = 20_000;
/** No server takes the others' places by making up names. */
export const TOOLS_PER_UPSTREAM_MAX = 1_000;
