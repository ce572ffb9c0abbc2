// The pinned definitions of tools: kept in the database, and in memory, because every heartbeat asks for their revision
// and most sightings are no news.

import {
  TOOLS_MAX,
  type ToolAcceptance,
  type ToolLine,
  type ToolReport,
  type ToolSighting,
} from '../../contract/tool.ts';
import type { Clock } from '../../kit/clock.ts';
import type { Log } from '../../kit/log.ts';
import type { Database } from './database.ts';
import type { SharedList } from './neighbours.ts';

export interface Tools extends SharedList {
  /** Pins what is new, notes what is another than the one pinned. The lines of the tools it is about. */
  see(report: ToolReport, actor: string): Promise<ToolLine[]>;
  /** Null where no such tool was ever seen. */
  accept(acceptance: ToolAcceptance, actor: string): Promise<ToolLine | null>;
  lines(): ToolLine[];
  /** Another number than before says that some line changed. */
  revision(): number;
}

export interface ToolsOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Log;
  /** Some line is another now. */
  changed(): void;
}

interface Row {
  readonly upstream: string;
  readonly tool: string;
  readonly digest: string;
  readonly since: string;
  readonly accepted_by: string;
  readonly seen_digest: string | null;
  readonly revision: string;
}

const COLUMNS =
  'upstream, tool, digest, since::text as since, accepted_by, seen_digest, revision::text as revision';

export async function openTools({ database, clock, log, changed }: ToolsOptions): Promise<Tools> {
  const lines = new Map<string, ToolLine>();
  let revision = 0;

  const keep = (row: Row): ToolLine => {
    const line = lineOf(row);
    lines.set(keyOf(line), line);
    revision = Math.max(revision, Number(row.revision));
    return line;
  };
  const read = async (): Promise<void> => {
    const rows = await database.query<Row & Record<string, string | null>>(`select ${COLUMNS} from tools`);
    for (const row of rows) keep(row);
  };
  await read();

  const step = async (call: string, values: readonly (string | number)[]): Promise<ToolLine | null> => {
    const [row] = await database.query<Row & Record<string, string | null>>(
      `select ${COLUMNS} from ${call}`,
      [...values],
    );
    return row ? keep(row) : null;
  };

  /** Most are known already; a line for it is not written again. */
  const seen = async (sighting: ToolSighting, agent: string, actor: string): Promise<ToolLine | null> => {
    const known = lines.get(keyOf(sighting));
    if (known && (known.seen_digest ?? known.digest) === sighting.digest) return known;
    if (!known && lines.size >= TOOLS_MAX) return null;
    const { upstream, tool, digest } = sighting;
    const line = await step('see_tool($1, $2, $3, $4, $5, $6)', [
      upstream,
      tool,
      digest,
      agent,
      actor,
      clock.nowMs(),
    ]);
    if (line?.state === 'changed')
      log.warn('tool.changed', { upstream, tool, pinned: line.digest, seen: digest, agent });
    return line;
  };

  return {
    async see({ agent, tools }, actor) {
      const before = revision;
      const found: ToolLine[] = [];
      for (const sighting of tools) {
        const line = await seen(sighting, agent, actor);
        if (line) found.push(line);
      }
      if (revision !== before) changed();
      return found;
    },
    async accept({ upstream, tool }, actor) {
      const before = revision;
      const line = await step('accept_tool($1, $2, $3, $4)', [upstream, tool, actor, clock.nowMs()]);
      if (revision === before) return line;
      log.info('tool.accepted', { upstream, tool, by: actor });
      changed();
      return line;
    },
    lines: () => [...lines.values()].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1)),
    revision: () => revision,
    mark: 'select max(revision)::text from tools',
    async reread() {
      const before = revision;
      await read();
      if (revision !== before) changed();
    },
  };
}

const keyOf = ({ upstream, tool }: ToolAcceptance): string => `${upstream}/${tool}`;

function lineOf({ upstream, tool, digest, since, accepted_by, seen_digest }: Row): ToolLine {
  return {
    upstream,
    tool,
    digest,
    state: seen_digest === null ? 'pinned' : 'changed',
    seen_digest,
    since: new Date(Number(since)).toISOString(),
    accepted_by,
  };
}
