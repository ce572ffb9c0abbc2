// GET /v1/audit/…: the log of what was accepted, as C2SP tlog-tiles serves one, proofs from it, and the rows beside it that
// an export takes along.

import type { Context, Handler } from 'hono';
import { stream } from 'hono/streaming';
import type { AuditStatus } from '../../contract/audit/status.ts';
import type { Anchors } from '../audit/anchors.ts';
import type { EndedLogs } from '../audit/ended-logs.ts';
import { type Ask, actionLines, controlEventLines, hoursOf } from '../audit/exported-rows.ts';
import type { AuditFiles } from '../audit/files.ts';
import type { AuditLog } from '../audit/log.ts';
import { consistencyOf, proofOf } from '../audit/proofs.ts';
import type { Pruning } from '../audit/pruning.ts';
import type { Checkpoints } from '../control/checkpoints.ts';
import { ApiError, badRequest } from './failures.ts';
import type { ApiEnvironment } from './guards.ts';
import type { Api } from './routes.ts';

export interface AuditDesk {
  readonly log: Pick<AuditLog, 'checkpoint' | 'flush' | 'behind'>;
  readonly anchors: Pick<Anchors, 'states'>;
  /** Those before the one in use. */
  readonly ended: Pick<EndedLogs, 'all'>;
  readonly pruning: Pick<Pruning, 'minimumIndex'>;
  readonly files: Pick<AuditFiles, 'read'>;
  /** What verifiers take: of the key in force, and of the one before while both sign. */
  readonly verifierKeys: readonly string[];
  readonly checkpoints: Pick<Checkpoints, 'all'>;
  readonly ask: Ask;
  /** Resolves once everything accepted before is in the store. */
  drain(): Promise<void>;
}

type Answer = Handler<ApiEnvironment>;

export function auditRoutes(api: Api, desk: AuditDesk): void {
  api.get('/v1/audit/checkpoint', (context) => context.text(desk.log.checkpoint().note));
  api.get('/v1/audit/checkpoints', async (context) => {
    const { origin } = desk.log.checkpoint();
    const kept = await desk.checkpoints.all();
    return context.json(
      kept.filter(({ note }) => note.startsWith(`${origin}\n`)).map(({ size, note }) => ({ size, note })),
    );
  });
  api.get('/v1/audit/status', (context) => context.json(statusOf(desk)));
  api.get('/v1/audit/key', (context) => context.text(`${desk.verifierKeys.join('\n')}\n`));
  api.get(
    '/v1/audit/tile/*',
    showTile(() => desk.files),
  );
  api.get('/v1/audit/logs', (context) =>
    context.json(
      desk.ended
        .all()
        .map(({ name, size, note, minimumIndex }) => ({ name, size, note, minimum_index: minimumIndex })),
    ),
  );
  api.get(
    '/v1/audit/logs/:name/tile/*',
    showTile((name) => desk.ended.all().find((log) => log.name === name)?.files),
  );
  api.get('/v1/audit/proof', showProof(desk));
  api.get('/v1/audit/consistency', showConsistency(desk));
  api.post('/v1/audit/settled', settle(desk));
  api.get('/v1/audit/actions', listHours(desk));
  api.get('/v1/audit/actions/:hour', showHour(desk));
  api.get('/v1/audit/control-events', (context) => linesOf(context, controlEventLines(desk.ask)));
}

function statusOf({ log, anchors, pruning }: AuditDesk): AuditStatus {
  const { origin, size, signedMs } = log.checkpoint();
  const { requests, forMs } = log.behind();
  return {
    log: origin,
    leaves: size,
    minimum_index: pruning.minimumIndex(),
    signed_at: new Date(signedMs).toISOString(),
    waiting: requests,
    behind_ms: Math.round(forMs),
    anchors: anchors.states().map(({ name, size: leaves, failingMs, reason }) => ({
      name,
      leaves,
      failing_ms: Math.round(failingMs),
      reason,
    })),
  };
}

const TILE = /^tile\/(?:entries|\d{1,2})\/(?:x\d{3}\/)*\d{3}(?:\.p\/\d{1,3})?$/;

function showTile(filesOf: (name: string | undefined) => AuditDesk['files'] | undefined): Answer {
  return async (context) => {
    const path = context.req.path.slice(context.req.path.indexOf('tile/'));
    const files = filesOf(context.req.param('name'));
    if (!files) throw new ApiError(404, 'no_log', 'There is no such log here: see /v1/audit/logs.');
    if (!TILE.test(path)) throw badRequest('A tile is named as in C2SP tlog-tiles, like tile/0/x001/234.');
    try {
      return context.body(new Uint8Array(await files.read(path)), 200, {
        'content-type': 'application/octet-stream',
      });
    } catch (failure) {
      if ((failure as NodeJS.ErrnoException).code !== 'ENOENT') throw failure;
      throw new ApiError(404, 'no_tile', `The log has no ${path}: a partial tile goes once it has grown.`);
    }
  };
}

function showProof({ log, files, pruning }: AuditDesk): Answer {
  return async (context) => {
    const [, hex] = /^(?:sha256:)?([0-9a-f]{64})$/.exec(context.req.query('digest') ?? '') ?? [];
    if (hex === undefined) throw badRequest('digest is a receipt: sha256: and 64 hexadecimal digits.');
    const at = context.req.query('at');
    const atMs = at === undefined ? null : Date.parse(at);
    if (Number.isNaN(atMs)) throw badRequest('at is a time in ISO 8601.');
    const proof = await proofOf(files, log.checkpoint(), Buffer.from(hex, 'hex'), {
      atMs,
      minimumIndex: pruning.minimumIndex(),
    });
    if (proof !== null) return context.text(proof);
    const where = at === undefined ? 'among the last million leaves: name the time by `at`' : `around ${at}`;
    throw new ApiError(404, 'not_in_log', `No request with that digest was found ${where}.`);
  };
}

function showConsistency({ log, files, pruning }: AuditDesk): Answer {
  return async (context) => {
    const { size } = log.checkpoint();
    const [from, to] = [wholeNumber(context, 'from'), wholeNumber(context, 'to', size)];
    if (from > to || to > size)
      throw badRequest(`from and to are sizes of the log, which has ${size} leaves.`);
    if (from > 0 && from < pruning.minimumIndex())
      throw new ApiError(
        404,
        'pruned',
        `Of a log that short no proof is kept: from is 0, or at least ${pruning.minimumIndex()}.`,
      );
    const hashes = await consistencyOf(files, size, from, to);
    return context.json({ from, to, hashes: hashes.map((hash) => Buffer.from(hash).toString('base64')) });
  };
}

function wholeNumber(context: Context, name: string, missing?: number): number {
  const text = context.req.query(name) ?? String(missing ?? '');
  if (/^(0|[1-9]\d{0,15})$/.test(text)) return Number(text);
  throw badRequest(`${name} is a whole number.`);
}

/** Everything accepted until now is in the store and under the checkpoint that is answered: an export begins so. */
function settle({ log, pruning, drain }: AuditDesk): Answer {
  return async (context) => {
    await log.flush();
    const { note, size } = log.checkpoint();
    const minimum_index = pruning.minimumIndex();
    await drain();
    return context.json({ size, note, minimum_index });
  };
}

function listHours({ ask }: AuditDesk): Answer {
  return async (context) => {
    const [since, until] = [timeOf(context, 'since', 0), timeOf(context, 'until', TIME_MAX)];
    return context.json(await hoursOf(ask, since, until));
  };
}

/** The last one the store has: year 2262. */
const TIME_MAX = 9_200_000_000_000;

function timeOf(context: Context, name: string, missing: number): number {
  const text = context.req.query(name);
  const time = text === undefined ? missing : Date.parse(text);
  if (Number.isNaN(time)) throw badRequest(`${name} is a time in ISO 8601.`);
  return time;
}

function showHour({ ask }: AuditDesk): Answer {
  return (context) => {
    const hour = context.req.param('hour') ?? '';
    const ms = /^\d{4}-\d\d-\d\dT\d\d$/.test(hour) ? Date.parse(`${hour}:00:00Z`) : Number.NaN;
    if (Number.isNaN(ms)) throw badRequest('An hour is written like 2026-11-21T09.');
    return linesOf(context, actionLines(ask, ms));
  };
}

function linesOf(context: Context, bunches: AsyncGenerator<string>): Response {
  context.header('content-type', 'application/x-ndjson');
  return stream(context, async (out) => {
    for await (const lines of bunches) {
      if (out.aborted) return;
      await out.write(lines);
    }
    // A reader tells a whole answer from one that was cut off by this last, empty line.
    await out.write('\n');
  });
}
