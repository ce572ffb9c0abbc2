// A sidecar of the simulation: the production journal, book, shipper and leases, put together as sidecar/main.ts does,
// over a fake disk, a fake network and the machine's own clock.

import type { LeaseRequest, LeaseResponse } from '../../contract/budget.ts';
import type { Config } from '../../contract/config/config.ts';
import type { Log } from '../../kit/log.ts';
import { type Book, openBook, spansOf } from '../../sidecar/book.ts';
import { headerOf } from '../../sidecar/book-frames.ts';
import { openJournal } from '../../sidecar/edges/journal.ts';
import { openShipped } from '../../sidecar/edges/shipped.ts';
import { createShipper } from '../../sidecar/edges/shipper.ts';
import { openLeases } from '../../sidecar/open-leases.ts';
import type { Leases } from '../../sidecar/state/leases/leases.ts';
import { type Expiry, watchExpiry } from './expiry.ts';
import { createDisk, type FakeDisk } from './world/disk.ts';
import { createMachine, type Life, type Machine } from './world/machine.ts';
import type { World } from './world/world.ts';

/** One running process. */
export interface Sidecar {
  readonly life: Life;
  readonly book: Book;
  readonly leases: Leases;
  readonly expiry: Expiry;
  /** Calls under way. */
  inFlight: number;
  readonly journalFails: () => boolean;
  /** Calls now, or once the last call under way has ended; then everything is given back and shipped. */
  stop(): Promise<void>;
}

export interface SidecarHost {
  readonly machine: Machine;
  readonly disk: FakeDisk;
  readonly agent: string;
  readonly instance: string;
  /** Null while it is down. */
  sidecar: Sidecar | null;
  boot(): void;
}

export interface SidecarPorts {
  readonly config: () => Config;
  readonly strict: boolean;
  readonly segmentBytesMax: number;
  readonly startMs: number;
  readonly ask: (host: SidecarHost, life: Life, request: LeaseRequest) => Promise<LeaseResponse>;
  readonly ship: (host: SidecarHost, life: Life, body: Buffer) => Promise<void>;
  /** Between the ports and the production code: a mutant is put here. */
  readonly leasesOf?: typeof openLeases;
}

const FOLDER = '/data';
const SHIP_AT_STOP_MS = 5_000;
const POLL_MS = 100;

export function createSidecarHost(
  world: World,
  who: { readonly name: string; readonly agent: string; readonly instance: string },
  ports: SidecarPorts,
): SidecarHost {
  const machine = createMachine(world, who.name, ports.startMs);
  const disk = createDisk(world, machine);
  let nonces = 0;
  let streams = 0;

  const host: SidecarHost = {
    machine,
    disk,
    agent: who.agent,
    instance: who.instance,
    sidecar: null,
    boot() {
      const life = machine.start();
      const log = logOf(world, machine, life);
      const mounted = disk.mountedBy(life);
      const shipped = openShipped(mounted, FOLDER, log);
      const { book, journal, recovered } = openBook(
        (snapshot) =>
          openJournal({
            directory: FOLDER,
            sizeBytesMax: ports.config().journal.sizeBytesMax,
            segmentBytesMax: ports.segmentBytesMax,
            knownTo: shipped.knownTo,
            clock: life.clock,
            log,
            disk: mounted,
            atTurnsEnd: (call) => void world.after(0, () => life.deliver(call)),
            snapshot,
          }),
        {
          strict: ports.strict,
          endedElsewhere: shipped.cursor.unsynced,
          newStream: () => `${who.name}/${streams++}`,
          ended: () => shipper.nudge(),
          lost: () => undefined,
          later: (call) => void life.clock.after(1_000, call),
        },
      );
      const shipper = createShipper({
        journal,
        shipped,
        clock: life.clock,
        log,
        ship: (body) => ports.ship(host, life, body),
        encode: (frames) => spansOf(frames, { 'service.name': 'outrider-sidecar' }),
        callOf: ({ payload }) => headerOf(payload).call,
      });
      const expiry = watchExpiry(life.clock);
      const stops: (() => void | Promise<void>)[] = [];
      const leases = (ports.leasesOf ?? openLeases)(
        {
          instance: who.instance,
          inForce: ports.config,
          clock: life.clock,
          log,
          lifecycle: { onStop: (_name, stop) => void stops.push(stop) },
          nonce: () => `${who.name}-${nonces++}`,
        },
        {
          book,
          recovered,
          shipper,
          control: { ask: expiry.watched((request) => ports.ask(host, life, request)) },
          deadLetters: { found: () => undefined },
        },
      );
      const sidecar: Sidecar = {
        life,
        book,
        leases,
        expiry,
        inFlight: 0,
        journalFails: () => journal.failing,
        async stop() {
          host.sidecar = null;
          while (sidecar.inFlight > 0)
            await new Promise<void>((resolve) => void life.clock.after(POLL_MS, resolve));
          const last = [() => shipper.drain(SHIP_AT_STOP_MS), () => shipper.stop(), () => journal.close()];
          for (const step of [...stops, ...last]) await attempt(step, log);
          if (life.alive) machine.kill();
        },
      };
      host.sidecar = sidecar;
      leases.warm(who.agent);
    },
  };
  return host;
}

/** A step of stopping that fails does not keep the next from being taken, see kit/lifecycle.ts. */
async function attempt(step: () => void | Promise<void>, log: Log): Promise<void> {
  try {
    await step();
  } catch (failure) {
    log.error('stop_failed', { reason: String(failure) });
  }
}

/** What the sidecar says goes into the history, but not its lease ids' random parts: there are none. */
function logOf(world: World, machine: Machine, life: Life): Log {
  const say = (event: string, fields: object = {}): void => {
    if (life.alive) world.note(machine.name, `${event} ${JSON.stringify(fields)}`);
  };
  return { info: say, warn: say, error: say };
}
