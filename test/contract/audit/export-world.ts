// An export as a collector would write it, in memory: real sealed records as rows, requests as leaves, checkpoints signed.
// Whoever tampers changes rows, leaves or files, and knows what must be named.

import { generateKeyPairSync, hash } from 'node:crypto';
import { endingWithin } from '../../../collector/audit/pruning.ts';
import { type ExportedFiles, hourFile } from '../../../contract/audit/export.ts';
import { encodeLeaf, type Leaf, NO_DIGEST } from '../../../contract/audit/leaf.ts';
import { hashOfEntry } from '../../../contract/audit/row.ts';
import { CHAIN_START, canonicalJson, type Json } from '../../../contract/audit-entry.ts';
import { chainRangesOf } from '../../../contract/chain-ranges.ts';
import { signCheckpoint } from '../../../kit/tlog/checkpoint.ts';
import { leafHash, rootOf } from '../../../kit/tlog/merkle.ts';
import { noteSigner } from '../../../kit/tlog/note.ts';
import { createTileTree } from '../../../kit/tlog/tile-tree.ts';
import { bundlePath, encodeBundle, partialTiles, TILE_WIDTH, tilePath } from '../../../kit/tlog/tiles.ts';
import { type CallRecord, sealRecord } from '../../../sidecar/record.ts';
import { exampleRecord } from '../../sidecar/example-record.ts';

export type Row = Record<string, string | null>;

export interface World {
  /** Rows of `actions`, by stream and number. */
  rows: Row[];
  control: Row[];
  leaves: Leaf[];
}

export const START_MS = Date.parse('2026-11-21T09:00:00Z');
const STEP_MS = 20_000;
export const ORIGIN = 'outrider/test/0a1b2c3d';
const { privateKey } = generateKeyPairSync('ed25519');
export const signer = noteSigner(ORIGIN, privateKey);

/** Streams `a`, `b`, … of `records` each, shipped `together` at a time; a control event after every tenth request. */
export function createWorld({ streams = 2, records = 24, together = 4 } = {}): World {
  const world: World = { rows: [], control: [], leaves: [emptyLeaf('start', START_MS)] };
  const chains = Array.from({ length: streams }, (_, at) => startChain(String.fromCharCode(97 + at)));
  const control = startChain('control/0011');
  for (let at = 0; at < records; at += together)
    for (const chain of chains) {
      const rows = Array.from({ length: Math.min(together, records - at) }, () => nextRow(chain));
      world.rows.push(...rows);
      world.leaves.push(leafOf(rows, 'traces'));
      if (world.leaves.length % 10 === 0) addControl(world, control);
    }
  addControl(world, control);
  world.leaves.push(emptyLeaf('heartbeat', world.leaves.at(-1)!.receivedMs + 60_000));
  return world;
}

interface ChainState {
  readonly stream: string;
  seq: number;
  previous: string;
}

const startChain = (stream: string): ChainState => ({ stream, seq: 0, previous: CHAIN_START });
const emptyLeaf = (kind: Leaf['kind'], receivedMs: number): Leaf => ({
  kind,
  receivedMs,
  signal: 'none',
  sender: '',
  segment: '',
  items: 0,
  digest: NO_DIGEST,
  chains: [],
});

function nextRow(chain: ChainState): Row {
  const record = exampleRecord({
    callId: `call-${chain.stream}-${chain.seq}`,
    startedAtMs: START_MS + chain.seq * STEP_MS + 0.25,
    costNanodollars: BigInt(chain.seq) * 1_000n,
  });
  return rowOf(record, chain);
}

/** The next row of a chain, as the store makes it of the record's span. */
export function rowOf(record: CallRecord, chain: ChainState): Row {
  const sealed = sealRecord(record, chain);
  chain.seq += 1;
  chain.previous = sealed.hash;
  const dollars = record.costNanodollars;
  return {
    timestamp: timestampOf(Math.floor(record.startedAtMs)),
    agent_id: record.agent,
    agent_instance: record.instance,
    agent_version: record.agentVersion,
    owner: record.owner,
    fleet_id: record.fleet,
    department: record.department,
    task_id: record.task,
    caller_agent: record.callerAgent,
    grantor: record.grantor,
    action_type: record.action,
    target: record.target,
    upstream: record.upstream,
    model: record.model,
    mode: record.mode,
    verdict: record.verdict,
    would_verdict: record.wouldVerdict,
    rule: record.rule,
    refusal: record.refusal,
    credential: record.credential,
    ticket: record.ticket,
    approved_by: '',
    status: record.status,
    http_status: String(record.httpStatus),
    duration_ms: String(record.durationMs),
    tokens_in: textOf(record.tokensIn),
    tokens_out: textOf(record.tokensOut),
    tokens_cached: textOf(record.tokensCached),
    cost_usd: dollars === null ? null : (Number(dollars) / 1e9).toFixed(9).replace(/\.?0+$/, ''),
    usage_source: record.usageSource,
    call_id: record.callId,
    trace_id: record.traceId,
    span_id: record.spanId,
    parent_trace_id: record.parentTraceId,
    policy_digest: record.policyDigest,
    audit_stream: sealed.stream,
    audit_seq: String(sealed.seq),
    audit_hash: sealed.hash,
    audit_entry: sealed.entry,
    attempt: String(record.attempt),
    retry_of: record.retryOf,
    asked: record.asked,
    depth: String(record.depth),
    request_digest: record.requestDigest,
    would_refusal: record.wouldRefusal,
    error_type: record.errorType,
  };
}

const textOf = (number: number | null): string | null => (number === null ? null : String(number));
export const timestampOf = (ms: number): string =>
  new Date(ms).toISOString().replace('T', ' ').replace('Z', '');

function addControl(
  world: World,
  chain: ChainState,
  event = 'mode_changed',
  details: Json = { mode: 'observe' },
) {
  const atMs = world.leaves.at(-1)!.receivedMs;
  const { stream, seq, previous } = chain;
  const facts = { actor: 'ops', agent: 'scout', atMs, details, event, id: String(seq + 1), reason: 'why' };
  const entry = canonicalJson({ ...facts, previous, seq, stream, version: 1 });
  chain.seq += 1;
  chain.previous = hashOfEntry(entry);
  const row: Row = {
    timestamp: timestampOf(atMs),
    id: facts.id,
    event,
    actor: facts.actor,
    agent_id: facts.agent,
    reason: facts.reason,
    details: JSON.stringify(details),
    audit_stream: stream,
    audit_seq: String(seq),
    audit_hash: chain.previous,
    audit_entry: entry,
  };
  world.control.push(row);
  world.leaves.push({ ...leafOf([row], 'logs'), receivedMs: atMs });
}

/** Says in the log, so many days after the first that is kept came, that entries below an index are not kept. */
export function addPruned(world: World, minimumIndex: number, days = 90): void {
  const receivedMs = world.leaves[minimumIndex]!.receivedMs + days * 86_400_000;
  world.leaves.push({ ...emptyLeaf('pruned', receivedMs), items: minimumIndex });
}

/** Says in the log, so many days after it began, that the one before it is not kept. */
export function addDropped(world: World, ended: WrittenExport, days = 90): void {
  const receivedMs = world.leaves[0]!.receivedMs + days * 86_400_000;
  world.leaves.push({ ...emptyLeaf('pruned', receivedMs), digest: digestOfLast(ended) });
}

const digestOfLast = ({ files }: WrittenExport): Buffer => hash('sha256', files.get('checkpoint')!, 'buffer');

/** What pruning to an index removes. */
export function prune({ files }: WrittenExport, minimumIndex: number): void {
  for (const path of endingWithin(0, minimumIndex)) files.delete(path);
}

/** Says in the control chain that records were dropped. */
export function addRetention(world: World, stream: string, first: number, last: number): void {
  const before = world.control.at(-1)!;
  const chain = {
    stream: before.audit_stream!,
    seq: Number(before.audit_seq) + 1,
    previous: before.audit_hash!,
  };
  const dropped = { stream, dropped: [[String(first), String(last)]], kept_from: null };
  addControl(world, chain, 'retention_run', { dropped: [], streams: [dropped] });
}

/** Of consecutive rows of one stream. */
export function leafOf(rows: readonly Row[], signal: Leaf['signal']): Leaf {
  const links = rows.map((row) => ({
    stream: row.audit_stream!,
    seq: Number(row.audit_seq),
    hash: row.audit_hash!,
  }));
  return {
    kind: 'request',
    receivedMs: START_MS + (links.at(-1)!.seq + 1) * STEP_MS,
    signal,
    sender: 'scout/host',
    segment: 'segment-1',
    items: rows.length,
    digest: Buffer.alloc(32, rows.length),
    chains: chainRangesOf(links),
  };
}

export interface WrittenExport {
  readonly files: Map<string, Buffer>;
  /** The note of the checkpoint at a size. */
  checkpointAt(size: number): string;
}

/** A log that ended before the world's began, with nothing in it but heartbeats: `minutes` of them. */
export function createEnded(minutes: number): World {
  const beats = Array.from({ length: minutes }, (_, minute) =>
    emptyLeaf('heartbeat', START_MS - (minutes - minute) * 60_000),
  );
  return { rows: [], control: [], leaves: [emptyLeaf('start', START_MS - minutes * 60_000), ...beats] };
}

/** The export of a world whose log goes on from one that ended. */
export function writeFollowing(world: World, ended: WrittenExport, manifest: object = {}): WrittenExport {
  const [start, ...leaves] = world.leaves;
  const digest = digestOfLast(ended);
  const written = writeExport({ ...world, leaves: [{ ...start!, digest }, ...leaves] }, [], manifest);
  for (const [path, bytes] of ended.files)
    if (/^(checkpoint$|tile)/.test(path)) written.files.set(`logs/ended/${path}`, bytes);
  return written;
}

/** The directory, with the checkpoints of some sizes kept. */
export function writeExport(
  world: World,
  kept: readonly number[] = [],
  manifest: object = {},
  origin = ORIGIN,
): WrittenExport {
  const files = new Map<string, Buffer>();
  const entries = world.leaves.map(encodeLeaf);
  const hashes = entries.map(leafHash);
  const tree = createTileTree();
  for (const hash of hashes) tree.append(hash);
  const last = new Set(partialTiles(entries.length).map(tilePath));
  for (const { bytes, ...tile } of tree.takeTiles())
    if (tile.width === TILE_WIDTH || last.has(tilePath(tile))) files.set(tilePath(tile), bytes);
  for (let from = 0; from < entries.length; from += TILE_WIDTH) {
    const own = entries.slice(from, from + TILE_WIDTH);
    files.set(bundlePath({ index: from / TILE_WIDTH, width: own.length }), encodeBundle(own));
  }
  const checkpointAt = (size: number): string =>
    signCheckpoint({ origin, size, root: rootOf(hashes.slice(0, size)) }, [noteSigner(origin, privateKey)]);
  files.set('checkpoint', Buffer.from(checkpointAt(entries.length)));
  for (const size of kept) files.set(`checkpoints/${size}`, Buffer.from(checkpointAt(size)));
  writeRows(files, world);
  const facts = {
    version: 1,
    fleet: 'test',
    made_at: new Date(START_MS).toISOString(),
    since: null,
    until: null,
    minimum_index: 0,
    actions: world.rows.length,
    control_events: world.control.length,
    ...manifest,
  };
  files.set('MANIFEST.json', Buffer.from(JSON.stringify(facts)));
  return { files, checkpointAt };
}

function writeRows(files: Map<string, Buffer>, world: World): void {
  const byHour = Map.groupBy(world.rows, (row) =>
    hourFile(Date.parse(`${row.timestamp!.replace(' ', 'T')}Z`)),
  );
  for (const [hour, rows] of byHour) files.set(`actions/${hour}`, linesOf(rows));
  files.set('control-events.jsonl', linesOf(world.control));
}

export const linesOf = (rows: readonly Row[]): Buffer =>
  Buffer.from(rows.map((row) => `${JSON.stringify(row)}\n`).join(''));

export function filesIn(files: ReadonlyMap<string, Buffer>): ExportedFiles {
  return {
    async read(path) {
      const bytes = files.get(path);
      if (!bytes) throw new Error(`There is no ${path}.`);
      return bytes;
    },
    async list(folder) {
      const names = [...files.keys()].filter((path) => path.startsWith(`${folder}/`));
      return [...new Set(names.map((path) => path.slice(folder.length + 1).split('/')[0]!))].sort();
    },
    async *lines(path) {
      const text = files.get(path)?.toString() ?? '';
      yield text.split('\n').filter((line) => line !== '');
    },
  };
}

/** Seals a row anew after `change`, as if it had been so from the start; what follows still names the old hash. */
export function resealed(row: Row, change: Readonly<Record<string, Json>>): Row {
  const entry = canonicalJson({ ...(JSON.parse(row.audit_entry!) as Record<string, Json>), ...change });
  return { ...row, audit_entry: entry, audit_hash: hashOfEntry(entry) };
}
