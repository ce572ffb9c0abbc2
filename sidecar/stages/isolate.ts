// Is anything of this call held apart: who makes it, for which task, where it goes, what it asks for there? In observe
// mode too. Refuses with `agent_quarantined`.

import type { Authorized } from '../call.ts';
import { quarantined } from '../quarantined.ts';
import type { Quarantine } from '../state/quarantine.ts';

export function isolate(authorized: Authorized, quarantine: Quarantine): Authorized {
  const line = quarantine.of(authorized);
  if (line) throw quarantined(line);
  return authorized;
}
