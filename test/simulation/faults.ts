// What befalls a fleet, and how all is made whole again at the end.

import type { Config } from '../../contract/config/config.ts';
import type { Collector } from './collector.ts';
import type { Fault, FaultKind } from './scenario.ts';
import type { SidecarHost } from './sidecar.ts';
import type { Truth } from './truth.ts';
import { FOUL, type Network } from './world/network.ts';
import type { World } from './world/world.ts';

export interface Fleet {
  readonly world: World;
  readonly network: Network;
  readonly hosts: readonly SidecarHost[];
  readonly collectors: readonly Collector[];
  readonly truth: Truth;
  readonly strict: boolean;
  /** What a right clock showed when the world began. */
  readonly startMs: number;
  config(): Config;
  reload(): void;
  /** Something is amiss until `lastsMs` from now. */
  trouble(lastsMs: number): void;
  /** Until when something was amiss. */
  troubleMs(): number;
  writeOff(collector: Collector): void;
  /** Money may be gone for good: a lease that nobody remembers is written off at the end. */
  leakAllowed: boolean;
  /** All has been made whole: what would have come back later is back. */
  healed: boolean;
}

export function strike(fleet: Fleet, fault: Fault): void {
  const { world, hosts, collectors } = fleet;
  const host = hosts[fault.which % hosts.length]!;
  const collector = collectors[fault.which % collectors.length]!;
  const onCollector = fault.kind.startsWith('collector') || fault.kind === 'write_off';
  world.note(onCollector ? collector.machine.name : host.machine.name, `— ${fault.kind} —`);
  STRIKES[fault.kind](fleet, fault, host, collector);
}

type Strike = (fleet: Fleet, fault: Fault, host: SidecarHost, collector: Collector) => void;

const STRIKES: Readonly<Record<FaultKind, Strike>> = {
  kill(fleet, { lastsMs }, host) {
    kill(host);
    bootLater(fleet, host, lastsMs);
  },
  torn_write(fleet, { lastsMs }, host) {
    host.disk.tearNextWrite = true;
    bootLater(fleet, host, lastsMs);
  },
  power_cut(fleet, { lastsMs }, host) {
    if (!host.machine.life) return;
    kill(host);
    const { bytes, sinceMs } = host.disk.losePower();
    fleet.world.note(host.machine.name, `loses ${bytes} bytes`);
    if (bytes > 0) fleet.leakAllowed = true;
    if (bytes > 0) forgetSince(fleet, host, sinceMs);
    bootLater(fleet, host, lastsMs);
  },
  pause({ world }, { lastsMs }, host) {
    host.machine.pause();
    world.after(lastsMs, () => host.machine.resume());
  },
  partition({ world, network, hosts, collectors }, { which, lastsMs }, host) {
    const cutOff = which % 3 === 0 ? hosts : [host];
    for (const each of cutOff) for (const { machine } of collectors) network.cut(each.machine, machine);
    world.after(lastsMs, () => network.heal());
  },
  collector_down(fleet, { lastsMs }, _host, collector) {
    collector.machine.kill();
    bootCollectorLater(fleet, collector, lastsMs);
  },
  collector_dies_after_commit(_fleet, _fault, _host, collector) {
    collector.dieAfterCommit = true;
  },
  weather({ world, network }, { lastsMs }) {
    network.weather = FOUL;
    world.after(lastsMs, () => network.heal());
  },
  sidecar_clock_jumps: (_fleet, { byMs }, host) => host.machine.jump(byMs),
  collector_clock_jumps: (_fleet, { byMs }, _host, collector) => collector.machine.jump(byMs),
  disk_full({ world }, { lastsMs }, host) {
    host.disk.full = true;
    world.after(lastsMs, () => {
      host.disk.full = false;
    });
  },
  sync_fails(_fleet, _fault, host) {
    host.disk.failNextSync = true;
  },
  bit_flips(fleet, { which, lastsMs }, host) {
    const { machine, disk } = host;
    const isRunning = machine.life !== null && which % 2 === 0;
    if (!isRunning) kill(host);
    const flipped = disk.flip();
    fleet.world.note(machine.name, `finds a bit turned: ${JSON.stringify(flipped)}`);
    if (flipped) {
      fleet.leakAllowed = true;
      fleet.truth.doubt(machine.name);
    }
    bootLater(fleet, host, lastsMs);
  },
  restart(fleet, { lastsMs }, host) {
    // Its calls may end after all is made whole: whatever watches over it starts it again then.
    void host.sidecar?.stop().then(() => {
      if (fleet.healed) boot(fleet.world, host);
    });
    bootLater(fleet, host, lastsMs);
  },
  reload: (fleet) => fleet.reload(),
  write_off: (fleet, _fault, _host, collector) => fleet.writeOff(collector),
};

export function kill(host: SidecarHost): void {
  host.machine.kill();
  host.sidecar = null;
}

/** Where a process still runs by then, nothing happens: its own end has not come, or another has started it. */
function bootLater(fleet: Fleet, host: SidecarHost, afterMs: number): void {
  fleet.world.after(afterMs, () => {
    if (!fleet.healed) boot(fleet.world, host);
  });
}

export function boot(world: World, host: SidecarHost): void {
  if (host.machine.life) return;
  host.sidecar = null;
  try {
    host.boot();
    world.note(host.machine.name, 'starts');
  } catch (failure) {
    host.machine.kill();
    world.note(host.machine.name, `cannot start: ${String(failure)}`);
  }
}

function bootCollectorLater({ world }: Fleet, collector: Collector, afterMs: number): void {
  world.after(afterMs, () => {
    if (!collector.machine.life) collector.boot();
  });
}

/** Where durability is strict a decision was on the disk before the byte; else what was written just now may be gone. */
function forgetSince({ truth, strict }: Fleet, host: SidecarHost, sinceMs: number): void {
  if (strict) return;
  for (const call of truth.calls.values())
    if (call.sidecar === host.machine.name && call.wroteMs >= sinceMs) truth.forget(call);
}

/** Everybody is back, every clock right, every way open. */
export function heal(fleet: Fleet): void {
  const { world, network, hosts, collectors } = fleet;
  fleet.healed = true;
  network.heal();
  for (const { machine, boot: bootCollector } of collectors) {
    machine.jump(world.nowMs() + fleet.startMs - machine.wallMs());
    machine.resume();
    if (!machine.life) bootCollector();
  }
  for (const host of hosts) {
    Object.assign(host.disk, { full: false, failNextSync: false, tearNextWrite: false });
    host.machine.jump(world.nowMs() + fleet.startMs - host.machine.wallMs());
    host.machine.resume();
    if (host.sidecar?.journalFails()) kill(host);
    boot(world, host);
  }
  for (const collector of collectors) collector.dieAfterCommit = false;
}
