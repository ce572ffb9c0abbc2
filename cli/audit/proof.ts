// `outrider audit proof`: that the collector's log holds a request, by the receipt its sender was answered.

import { parseArgs } from 'node:util';
import { collectorClient } from '../collector-client.ts';
import { EXIT, type Io, UsageError } from '../command.ts';

export async function run(args: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { at: { type: 'string' }, collector: { type: 'string' }, data: { type: 'string' } },
  });
  const [digest, ...more] = positionals;
  if (digest === undefined || more.length > 0)
    throw new UsageError('Write `outrider audit proof sha256:<hex>`.');
  const asked = new URLSearchParams({ digest, ...(values.at === undefined ? {} : { at: values.at }) });
  io.stdout(await collectorClient(values, io).text(`/v1/audit/proof?${asked}`));
  return EXIT.done;
}
