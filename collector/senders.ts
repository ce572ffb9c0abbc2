// Who sent a request, as its receipt, the audit log and the rows say it:
//
//   ''                                   nobody who authenticated
//   telemetry:laptop agent=scout         a token that sends context, and the claims it is bound to
//   join, sidecars-eu, collector         one whose records count
//
// What the first two say of `outrider.*` is dropped, in the same way everywhere: it is read off this name.

import { claimsText } from '../contract/token.ts';
import type { Bearer } from './control/tokens.ts';

const CONTEXT = 'telemetry:';

export const senderOf = ({ name, kind, claims }: Bearer): string =>
  kind === 'telemetry' ? `${CONTEXT}${name} ${claimsText(claims)}` : name;

/** Whether its records count for nothing, and its word on chains neither. */
export const isForeign = (sender: string): boolean => sender === '' || sender.startsWith(CONTEXT);

/** The same in the database, over a column. */
export const foreignSql = (sender: string): string =>
  `(${sender} = '' OR startsWith(${sender}, '${CONTEXT}'))`;
