// `outrider audit status`: how far the log is, and who else has its checkpoints.

import { parseArgs } from 'node:util';
import type { AuditStatus } from '../../contract/audit/status.ts';
import { collectorClient } from '../collector-client.ts';
import { EXIT, type Io, UsageError } from '../command.ts';

export async function run(args: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      collector: { type: 'string' },
      data: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  });
  if (positionals.length > 0) throw new UsageError('Write `outrider audit status`.');
  const status = await collectorClient(values, io).get<AuditStatus>('/v1/audit/status');
  io.stdout(values.json ? `${JSON.stringify(status)}\n` : told(status));
  return EXIT.done;
}

function told({ log, leaves, minimum_index, signed_at, waiting, behind_ms, anchors }: AuditStatus): string {
  const behind = waiting === 0 ? 'nothing waits' : `${waiting} requests wait, for ${seconds(behind_ms)}`;
  const kept = minimum_index === 0 ? '' : `, entries from ${minimum_index} on`;
  const lines = anchors.map(({ name, leaves: there, failing_ms, reason }) => {
    const failing = failing_ms > 0 ? `, failing for ${seconds(failing_ms)}: ${reason}` : '';
    return `  ${name}: ${there} leaves${failing}`;
  });
  const places = lines.length > 0 ? lines : ['  no place outside has its checkpoints: see audit.anchors'];
  return `${[`${log}: ${leaves} leaves${kept}, signed ${signed_at}; ${behind}`, ...places].join('\n')}\n`;
}

const seconds = (ms: number): string => `${Math.round(ms / 1000)} s`;
