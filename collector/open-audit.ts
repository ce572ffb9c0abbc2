// The log of what this collector accepted: opened before anything is accepted, closed after everything is.

import type { AuditAnchor } from '../contract/config/config.ts';
import type { ControlEventName } from '../contract/control-event.ts';
import { type Log, sentenceOf } from '../kit/log.ts';
import { type NoteSigner, noteSigner } from '../kit/tlog/note.ts';
import type { Anchors } from './audit/anchors.ts';
import { type EndedLogs, openEndedLogs } from './audit/ended-logs.ts';
import type { AuditFiles } from './audit/files.ts';
import type { SignedCheckpoint } from './audit/growth.ts';
import { type AuditLog, runAuditLog } from './audit/log.ts';
import { openOrBegin } from './audit/open-log.ts';
import { openPruning, type Pruning } from './audit/pruning.ts';
import type { Places } from './config.ts';
import { type Checkpoints, createCheckpoints } from './control/checkpoints.ts';
import { noteEvent } from './control/control-events.ts';
import type { Database } from './control/database.ts';
import { openAuditDirectory } from './edges/audit-directory.ts';
import { readAuditKeys, rememberKey, writeVkey } from './edges/audit-keys.ts';
import { openAnchors } from './open-anchors.ts';
import { nodeDisk } from './queue/disk.ts';
import type { Start } from './starting.ts';

const DAY_MS = 86_400_000;

export interface Audit {
  readonly audit: AuditLog;
  readonly auditFiles: AuditFiles;
  readonly checkpoints: Checkpoints;
  readonly ended: EndedLogs;
  readonly anchors: Anchors;
  readonly pruning: Pruning;
  /** What verifiers take: the log's key, and while it is replaced the one before. */
  readonly verifierKeys: readonly string[];
}

export interface AuditOptions extends Pick<Start, 'lifecycle' | 'clock' | 'log'> {
  readonly places: Pick<Places, 'audit'>;
  /** A key file of the operator's own; null for one the collector makes. */
  readonly key: string | null;
  /** Names a log that begins. */
  readonly fleet: string;
  readonly anchors: readonly AuditAnchor[];
  /** How long hourly checkpoints are kept. */
  readonly days: number;
  readonly database: Database;
}

type LogEvent = Extract<ControlEventName, `audit_${string}`>;

/** Throws a sentence when the key can't be read, and what the disk throws. */
export async function openAudit(options: AuditOptions): Promise<Audit> {
  const { places, database, lifecycle, clock, log } = options;
  const keys = await readAuditKeys(places.audit, options.key);
  const signers = (origin: string): readonly NoteSigner[] =>
    [keys.key, keys.previous].filter((key) => key !== null).map((key) => noteSigner(origin, key));
  const checkpoints = createCheckpoints(database, options.days * DAY_MS);
  const directory = await openAuditDirectory(nodeDisk, places.audit, log);
  const disk = { clock, log, signers, newestTold: checkpoints.newest };
  const { opened, follows, news } = await openOrBegin(directory, disk, options.fleet);
  const { origin } = opened;
  const verifierKeys = opened.signers.map(({ verifierKey }) => verifierKey);
  const note = (event: LogEvent, details: object): Promise<void> =>
    noteEvent(
      database,
      { event, actor: 'collector', agent: '', reason: '', details: { log: origin, ...details } },
      clock.nowMs(),
    );
  if (news === 'started') {
    const before = Buffer.from(follows).toString('hex');
    await note('audit_log_started', { keys: verifierKeys, follows: before });
  } else if (news === 'key_changed') await note('audit_key_changed', { keys: verifierKeys });
  const told = teller(log, checkpoints);
  const anchors = openAnchors(options);
  const onCheckpoint = (checkpoint: SignedCheckpoint): void => {
    told.tell(checkpoint);
    anchors.tell(checkpoint);
  };
  const audit = await runAuditLog({ ...opened, onCheckpoint }, follows);
  lifecycle.onStop('audit log', async () => {
    await audit.close();
    await told.settled();
  });
  const pruning = await openPruning({
    files: opened.files,
    audit,
    note: (minimumIndex, beforeMs) =>
      note('audit_log_pruned', {
        minimum_index: minimumIndex,
        came_before: new Date(beforeMs).toISOString(),
      }),
  });
  await rememberKey(places.audit, options.key);
  await writeVkey(places.audit, verifierKeys);
  const ended = await openEndedLogs({
    ...{ directory, audit, pruning, files: opened.files },
    note: ({ name, size, root }, checkpoint, beforeMs) =>
      note('audit_log_dropped', {
        dropped: name,
        leaves: size,
        root,
        checkpoint,
        came_before: new Date(beforeMs).toISOString(),
      }),
  });
  return { audit, auditFiles: opened.files, checkpoints, ended, anchors, pruning, verifierKeys };
}

/** Tells of the newest checkpoint, one after the other; those that came meanwhile are passed over. */
function teller(log: Log, checkpoints: Checkpoints) {
  let waiting: SignedCheckpoint | null = null;
  let telling: Promise<void> | null = null;

  async function tellAll(): Promise<void> {
    for (let next = waiting; next; next = waiting) {
      waiting = null;
      const kept = { ...next, root: Buffer.from(next.root).toString('base64') };
      await checkpoints.keep(kept).catch((failure: unknown) => {
        log.warn('audit.checkpoint_not_told', { reason: sentenceOf(failure) }); // the next one makes it good
      });
    }
    telling = null;
  }

  return {
    tell(checkpoint: SignedCheckpoint): void {
      waiting = checkpoint;
      telling ??= tellAll();
    },
    settled: async () => telling ?? undefined,
  };
}
