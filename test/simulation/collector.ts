// A collector of the simulation: the production ledger over the one real database, and a store of records that takes a
// batch once by its digest, as the queue does. Several collectors share the database; each has a clock of its own.

import { hash } from 'node:crypto';
import type { Database } from '../../collector/control/database.ts';
import { createLedger, type Ledger } from '../../collector/control/ledger.ts';
import { openRoster } from '../../collector/control/roster.ts';
import type { LeaseAnswer, LeaseAsk, LeaseRequest, LeaseResponse, Recall } from '../../contract/budget.ts';
import type { Config } from '../../contract/config/config.ts';
import { createMachine, type Machine } from './world/machine.ts';
import type { World } from './world/world.ts';

export interface Collector {
  readonly machine: Machine;
  /** Null while it is down. */
  readonly ledger: Ledger | null;
  boot(): void;
  lease(request: LeaseRequest): Promise<LeaseResponse>;
  store(body: Buffer): Promise<void>;
  /** Dies the next time a request was committed, before its answer. */
  dieAfterCommit: boolean;
}

export interface CollectorPorts {
  readonly database: Database;
  readonly config: () => Config;
  readonly startMs: number;
  readonly newLease: () => string;
  readonly onRecall: (from: Machine, recall: Recall) => void;
  /** What was stored, over all collectors. */
  readonly records: StoredRecord[];
}

export interface StoredRecord {
  readonly call: string;
  readonly costNanodollars: bigint;
  /** Its sidecar never saw its end. */
  readonly lost: boolean;
  readonly stream: string;
  readonly seq: number;
  readonly previous: string;
  readonly hash: string;
}

const DOWN_MS = 3_000;
const ASKS_A_SECOND_MAX = 60;
const ENTRY = new RegExp(
  [
    '"callId":"(?<call>[^"]+)"',
    '"costNanodollars":"(?<cost>\\d+)"',
    '"errorType":"(?<errorType>[^"]*)"',
    '"previous":"(?<previous>[0-9a-f]{64})"',
    '"seq":(?<seq>\\d+)',
    '"stream":"(?<stream>[^"]+)"',
  ].join(',.*?'),
  'gs',
);
/** As a text attribute of 64 characters stands in a span. */
const HASH = new RegExp(`outrider.audit.hash${String.fromCharCode(0x12)}B\n@([0-9a-f]{64})`, 'g');

export function createCollector(world: World, name: string, ports: CollectorPorts): Collector {
  const machine = createMachine(world, name, ports.startMs);
  const digests = new Set<string>();
  const asks = new Map<string, number>();
  let ledger: Ledger | null = null;

  const open = async (): Promise<void> => {
    const life = machine.start();
    const { clock } = life;
    const roster = await openRoster(ports.database, clock);
    const { database, config, newLease } = ports;
    const onRecall = (recall: Recall): void => ports.onRecall(machine, recall);
    if (life.alive) ledger = createLedger({ database, config, clock, roster, newLease, onRecall });
  };

  /** However little there is, and whoever wants it back: an ask a moment after the last one hears nothing new. */
  const noteAsk = (sidecar: string): void => {
    const second = `${sidecar} ${Math.floor(world.nowMs() / 1000)}`;
    const count = (asks.get(second) ?? 0) + 1;
    asks.set(second, count);
    if (count === ASKS_A_SECOND_MAX) world.fail(`${sidecar} asks the ledger again and again`);
  };

  const running = (): Ledger => {
    if (!ledger) throw new Error('starting');
    return ledger;
  };

  const collector: Collector = {
    machine,
    get ledger() {
      return machine.life ? ledger : null;
    },
    boot() {
      ledger = null;
      void world.freeze(open());
    },
    async lease(request) {
      noteAsk(`${request.agent}/${request.instance}`);
      const response = await world.freeze(running().lease(request));
      for (const [i, ask] of request.asks.entries())
        world.note(
          name,
          `${request.agent}/${request.instance} ${askText(ask)} → ${answerText(response.answers[i])}`,
        );
      if (collector.dieAfterCommit) {
        collector.dieAfterCommit = false;
        world.note(name, 'dies between commit and answer');
        machine.kill();
        world.after(DOWN_MS, () => machine.life ?? collector.boot());
      }
      return response;
    },
    async store(body) {
      const digest = hash('sha256', body, 'hex');
      if (digests.has(digest)) return;
      digests.add(digest);
      ports.records.push(...recordsIn(body.toString('latin1')));
    },
    dieAfterCommit: false,
  };
  return collector;
}

function recordsIn(text: string): StoredRecord[] {
  const hashes = [...text.matchAll(HASH)].map(([, hash]) => hash!);
  const entries = [...text.matchAll(ENTRY)].map(({ groups }) => groups!);
  if (entries.length !== hashes.length) throw new Error('a span without its entry, or its hash');
  return entries.map(({ call, cost, errorType, previous, seq, stream }, i) => ({
    call: call!,
    costNanodollars: BigInt(cost!),
    lost: errorType === 'outcome_unknown',
    stream: stream!,
    seq: Number(seq),
    previous: previous!,
    hash: hashes[i]!,
  }));
}

const askText = ({ scope, lease, seq, granted, posted, held, want, release, close }: LeaseAsk): string =>
  [
    `${scope} ${lease ?? 'no lease'} #${seq}`,
    `of ${granted.nanodollars} spent ${posted.nanodollars} holds ${held.nanodollars}`,
    want.nanodollars === '0' ? '' : `wants ${want.nanodollars}`,
    release ? 'releases' : '',
    close ? 'closes' : '',
  ]
    .filter(Boolean)
    .join(' ');

const answerText = (answer: LeaseAnswer | undefined): string =>
  answer
    ? `${answer.outcome} ${answer.lease ?? ''} has ${answer.granted.nanodollars ?? 'no limit'} for ${Math.round(answer.ttlMs / 1000)}s`
    : 'nothing';
