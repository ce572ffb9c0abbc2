// `outrider store erase`: what was said is taken back; who did it and why stays.

import type { Erasure, ErasureOrder } from '../../contract/erasure.ts';
import { EXIT, refuseIdleFlags, UsageError } from '../command.ts';
import { print, reasonOf, type StoreAsked } from './flags.ts';

export async function erase(asked: StoreAsked): Promise<number> {
  const { rest, values, collector } = asked;
  refuseIdleFlags({ ...values }, ['call', 'reason'], 'store erase');
  if (rest.length > 0 === (values.call !== undefined))
    throw new UsageError(
      'Name hashes, or a call with --call ID: `outrider store erase HASH… --reason TEXT`.',
    );
  const order: ErasureOrder = {
    hashes: rest.map((hash) => hash.replace(/^sha256:/, '')),
    call: values.call ?? '',
    reason: reasonOf(values),
  };
  const { erased } = await collector.post<Erasure>('/v1/store/erase', order);
  print(asked, { erased }, () => `Erased ${erased.length} ${erased.length === 1 ? 'body' : 'bodies'}.\n`);
  return EXIT.done;
}
