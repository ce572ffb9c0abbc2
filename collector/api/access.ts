// Which kinds of tokens may ask what, one line for each thing beside what operators alone may: what stands nowhere is
// theirs. Sessions of the console read as readers do.

import type { TokenKind } from '../../contract/token.ts';

const OPERATOR: readonly TokenKind[] = ['operator'];
const SIDECAR: readonly TokenKind[] = ['operator', 'sidecar'];
const READER: readonly TokenKind[] = ['operator', 'reader'];
const BOTH: readonly TokenKind[] = ['operator', 'sidecar', 'reader'];

export const ACCESS: Readonly<Record<string, readonly TokenKind[]>> = {
  // What a sidecar asks and reports
  'POST /v1/leases': SIDECAR,
  'POST /v1/holds': SIDECAR,
  'POST /v1/holds/:id': SIDECAR, // correcting one is an operator's, see holds.ts
  'POST /v1/agents': SIDECAR,
  'POST /v1/policy': SIDECAR,
  'POST /v1/tasks/:id': SIDECAR,
  'POST /v1/tools': SIDECAR,
  'POST /v1/dead-letters/claims': SIDECAR,
  'POST /v1/dead-letters/:id/replays/:attempt': SIDECAR,
  'PUT /v1/bodies/:sha256': SIDECAR,
  'GET /v1/bodies/:sha256': SIDECAR,
  'GET /v1/events': SIDECAR,
  'GET /v1/tools': BOTH,
  'GET /v1/quarantine': BOTH,
  'GET /v1/openapi.json': BOTH,
  // What is looked at
  'GET /v1/budgets': READER,
  'GET /v1/budgets/entries': READER,
  'GET /v1/budgets/late': READER,
  'GET /v1/budgets/check': READER,
  'GET /v1/budgets/waiting': READER,
  'GET /v1/budgets/raises': READER,
  'GET /v1/agents': READER,
  'GET /v1/agents/:name': READER,
  'GET /v1/modes': READER,
  'GET /v1/quarantine/radius': READER,
  'GET /v1/alerts': READER,
  'GET /v1/dead-letters': READER,
  'GET /v1/dead-letters/:id': READER,
  'GET /v1/audit/checkpoint': READER,
  'GET /v1/audit/checkpoints': READER,
  'GET /v1/audit/key': READER,
  'GET /v1/audit/status': READER,
  'GET /v1/audit/logs': READER,
  'GET /v1/audit/logs/:name/tile/*': READER,
  'GET /v1/audit/tile/*': READER,
  'GET /v1/audit/proof': READER,
  'GET /v1/audit/consistency': READER,
  'POST /v1/audit/settled': READER, // waits until what was accepted is in the log: an export begins with it
  'GET /v1/audit/actions': READER,
  'GET /v1/audit/actions/:hour': READER,
  'GET /v1/audit/control-events': READER,
  'GET /v1/store/backup': READER,
  'GET /v1/store/retention': READER,
  'GET /v1/store/holds': READER,
  'GET /v1/store/quarantine': READER,
  'GET /v1/store/rebuild': READER,
  'GET /v1/fleet': READER,
  'GET /v1/calls': READER,
  'GET /v1/traces/:id': READER,
  'GET /v1/live': READER,
  'GET /v1/sessions': READER,
  'GET /v1/tokens': READER,
};

/** Of a route as it was registered, e.g. `GET /v1/traces/:id`. */
export const kindsFor = (method: string, path: string): readonly TokenKind[] =>
  ACCESS[`${method} ${path}`] ?? OPERATOR;
