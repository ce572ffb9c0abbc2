// `outrider ca`: the certificate of the local authority, for whoever is to trust the sidecars of this data directory.

import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { sentenceOf } from '../kit/log.ts';
import { EXIT, type Io } from './command.ts';
import { DEFAULT_DATA } from './process.ts';
import { readTrust } from './trust-files.ts';

export const help = `outrider ca: the certificate by which agents trust their sidecar

Usage: outrider ca [--bundle] [--out FILE] [--data DIR]

  --bundle     this machine's own roots too, for clients that can only replace theirs (SSL_CERT_FILE, REQUESTS_CA_BUNDLE)
  --out FILE   into a file instead of onto stdout
  --data DIR   whose sidecars (OUTRIDER_DATA; else ./.outrider); made where there is none

\`outrider run\` and \`outrider env\` set every variable that names such a file. The key never leaves the data directory.

Example: outrider ca --out outrider-ca.pem
`;

export async function run(args: readonly string[], io: Io): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      bundle: { type: 'boolean', default: false },
      out: { type: 'string' },
      data: { type: 'string' },
    },
  });
  const { certificate, bundle } = await readTrust(values.data ?? io.env.OUTRIDER_DATA ?? DEFAULT_DATA);
  const pem = values.bundle ? bundle : certificate;
  if (values.out === undefined) io.stdout(pem);
  else write(values.out, pem);
  return EXIT.done;
}

function write(file: string, pem: string): void {
  try {
    writeFileSync(file, pem);
  } catch (failure) {
    throw new Error(`${file} cannot be written; name another with --out (${sentenceOf(failure)}).`);
  }
}
