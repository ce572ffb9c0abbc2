// THE TABLE OF CONTENTS: what happens to a call, in running order. Each line knows one fact more than the one before.

import type { Secrets } from '../kit/secrets.ts';
import type { Attempts } from './attempts/attempts.ts';
import type { Accepted, Authorized } from './call.ts';
import type { Upstreams } from './edges/upstreams.ts';
import { type Refusing, refuse } from './refuse.ts';
import { type Authorization, authorize } from './stages/authorize.ts';
import { type Admission, breakCircuit } from './stages/break-circuit.ts';
import { type Classification, classify } from './stages/classify.ts';
import { type Identification, identify } from './stages/identify.ts';
import { inject } from './stages/inject.ts';
import { isolate } from './stages/isolate.ts';
import { type Metering, meter } from './stages/meter.ts';
import { type Reservation, reserve } from './stages/reserve.ts';
import { send } from './stages/send.ts';
import { switchOver } from './stages/switch-over.ts';
import type { Quarantine } from './state/quarantine.ts';
import { openTrail, type Trail, type TrailServices } from './trail.ts';

export interface Services {
  readonly identification: Identification;
  readonly classification: Classification;
  readonly authorization: Authorization;
  readonly quarantine: Quarantine;
  readonly reservation: Reservation;
  readonly admission: Admission;
  readonly attempts: Attempts;
  readonly metering: Metering;
  readonly secrets: Secrets;
  readonly upstreams: Upstreams;
  readonly trail: TrailServices;
  readonly refusing: Refusing;
}

export async function carry(accepted: Accepted, use: Services): Promise<void> {
  const trail = follow(accepted, use);
  try {
    const identified = identify(accepted, use.identification);
    const classified = await classify(identified, use.classification);
    const authorized = authorize(classified, use.authorization);
    await attempt(authorized, trail, use);
  } catch (failure) {
    refuse(failure, accepted, trail, use.refusing);
  }
}

/** Once for most calls; where one fails and another may mend it, again: with ids, a hold and a record of its own. */
async function attempt(authorized: Authorized, trail: Trail, use: Services): Promise<void> {
  let next: Authorized | null;
  try {
    const cleared = isolate(authorized, use.quarantine);
    const reserved = await reserve(cleared, use.reservation);
    const admitted = await breakCircuit(reserved, use.admission);
    const credentialed = await inject(admitted, use.secrets);
    const answered = await send(credentialed, use.upstreams, trail);
    next = answered.answer.status < 400 ? null : await use.attempts.afterAnswer(answered, trail);
    if (!next) {
      if (answered.answer.socket) return switchOver(answered, answered.answer.socket, trail);
      return meter(answered, use.metering, trail); // bytes pass on at once; the trail closes at the last, or at the hang-up
    }
  } catch (failure) {
    next = await use.attempts.afterFailure(failure, authorized, trail);
    if (!next) return refuse(failure, authorized, trail, use.refusing);
  }
  return attempt(next, follow(next, use), use);
}

/** Whatever becomes of it, it is written down once; an agent that leaves ends it. */
function follow(call: Accepted, use: Services): Trail {
  const trail = openTrail(call, use.trail);
  call.response.once('close', () => trail.hangUp());
  return trail;
}
