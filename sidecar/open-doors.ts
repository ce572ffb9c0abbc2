// The way in: the proxy's port and the admin's, opened last because calls come in at once; when the sidecar stops, they
// close first.

import type { Server } from 'node:http';
import { join } from 'node:path';
import type { TaskEnd } from '../contract/budget.ts';
import type { Clock } from '../kit/clock.ts';
import { listenOn } from '../kit/listen.ts';
import { sentenceOf } from '../kit/log.ts';
import { createDoors, type Doors } from './accept/server.ts';
import { type AdminServices, createAdmin } from './admin.ts';
import { budgetReport } from './budget-report.ts';
import { ControlPlaneError } from './edges/control-plane.ts';
import type { Edges } from './edges/edges.ts';
import { createLocalAuthority } from './edges/local-authority.ts';
import type { Shipper } from './edges/shipper.ts';
import { explain } from './explain.ts';
import { carry, type Services } from './pipeline.ts';
import { refuse } from './refuse.ts';
import type { Carrying, Sidecar, Start } from './starting.ts';
import type { Leases } from './state/leases/leases.ts';
import { createOverload } from './state/overload.ts';
import { openTrail } from './trail.ts';
import { wayThrough } from './way-through.ts';

export interface TaskEnds {
  end(task: string, end: TaskEnd): Promise<void>;
  /** The own agent's; a collector that cannot be told is only logged. A task that made no call never began. */
  endOrWarn(task: string, state: TaskEnd['state']): Promise<void>;
}

export function taskEnds({ agent, log }: Start, { control }: Edges, leases: Leases): TaskEnds {
  const end = async (task: string, told: TaskEnd): Promise<void> => {
    await leases.told(told.agent); // an observed call does not wait for the ledger, so its task may be news there
    await control.endTask(task, told);
    leases.taskEnded(told.agent, task);
  };
  return {
    end: (task, told) => end(task, { ...told, agent: told.agent ?? agent ?? '' }),
    endOrWarn: (task, state) =>
      end(task, { agent: agent ?? '', state }).catch((failure) => {
        if (failure instanceof ControlPlaneError && failure.status === 404) return;
        log.warn('task.end_not_told', { task, failure: sentenceOf(failure) });
      }),
  };
}

/** Last, for calls come in at once. Throws PortUnavailable. */
export async function openDoors(
  starting: Start,
  edges: Edges,
  leases: Leases,
  { services, admission, bodies, meters, replays, ownPorts }: Carrying,
  tasks: TaskEnds,
): Promise<Sidecar['listen']> {
  const { config, agent, inForce, clock, lifecycle } = starting;
  const proxy = createDoorsOf(starting, services);
  replays.open(proxy.replay);
  const adminServices: AdminServices = {
    missing: () => missing(leases, edges.shipper),
    broken: () => (edges.journal.failing ? 'the journal cannot be written' : null),
    budget: () => budgetReport(leases.purses(), leases.unreachable(), clock.nowMs()),
    explain: (name, rule) => explain(inForce(), name ?? agent ?? '', rule, clock, admission),
    endTask: tasks.end,
    metrics: () => meters.render({ ...edges, ...admission, bodies, leases, inFlight: () => proxy.inFlight }),
  };
  const admin = createAdmin(adminServices);
  const adminAt = await listenOn(admin, config.listen.admin, 'listen.admin');
  lifecycle.onStop('admin', () => closed(admin));
  const proxyAt = await listenOn(proxy.server, config.listen.proxy, 'listen.proxy');
  lifecycle.onStop('proxy', () => drain(proxy, services.metering.listening, inForce().drainMs, clock));
  ownPorts.add(adminAt.port).add(proxyAt.port);
  return { proxy: proxyAt.url, admin: adminAt.url };
}

function createDoorsOf({ dataDirectory, clock, policy }: Start, services: Services): Doors {
  const nowMs = (): number => clock.nowMs();
  const authority = createLocalAuthority({ directory: join(dataDirectory, 'ca'), nowMs });
  return createDoors({
    policy: () => policy.current,
    overload: createOverload(clock),
    nowMs,
    monotonicMs: () => clock.monotonicMs(),
    carry: (accepted) => carry(accepted, services),
    refuse: (failure, accepted) =>
      refuse(failure, accepted, openTrail(accepted, services.trail), services.refusing),
    record: (refusal, accepted, httpStatus) =>
      openTrail(accepted, services.trail).refused(refusal, httpStatus),
    wayThrough: (accepted, to) => wayThrough(accepted, to, services.identification),
    leafFor: (host) => authority.leafFor(host),
  });
}

/** New calls are refused, running ones may end, whoever only listens is let go; whoever is late is cut off. */
async function drain(
  proxy: Doors,
  listening: ReadonlySet<() => void>,
  drainMs: number,
  clock: Clock,
): Promise<void> {
  proxy.drain();
  for (const end of [...listening]) end();
  const cancel = clock.after(drainMs, () => proxy.closeAll());
  await closed(proxy.server);
  cancel();
}

function missing(leases: Leases, shipper: Shipper): string[] {
  return [...(leases.unreachable() ? ['ledger'] : []), ...(shipper.lastFailure ? ['collector'] : [])];
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
}
