// What agents are told to trust, as files: the local authority's certificate alone, and a bundle of it and this machine's
// own roots for the clients that can only replace their roots. The bundle is written anew each time: roots change.

import { renameSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { getCACertificates } from 'node:tls';
import { createLocalAuthority } from '../sidecar/edges/local-authority.ts';

export interface TrustFiles {
  /** Absolute paths of PEM files. */
  readonly certificate: string;
  readonly bundle: string;
}

export interface Trust {
  readonly certificate: string;
  readonly bundle: string;
}

/** The PEM texts themselves; the authority is made where there is none. Throws an Error with one sentence. */
export async function readTrust(dataDirectory: string): Promise<Trust> {
  const directory = join(dataDirectory, 'ca');
  const certificate = await createLocalAuthority({ directory, nowMs: Date.now }).certificatePem();
  return { certificate, bundle: bundleOf(certificate) };
}

export async function writeTrustFiles(dataDirectory: string): Promise<TrustFiles> {
  const { bundle } = await readTrust(dataDirectory);
  const directory = resolve(dataDirectory, 'ca');
  const files = { certificate: join(directory, 'ca.pem'), bundle: join(directory, 'bundle.pem') };
  const draft = `${files.bundle}.${process.pid}`;
  writeFileSync(draft, bundle);
  renameSync(draft, files.bundle);
  return files;
}

/** The machine's roots, or the ones Node brings where it has none; with them what NODE_EXTRA_CA_CERTS adds for us. */
function bundleOf(certificate: string): string {
  const system = getCACertificates('system');
  const roots = system.length > 0 ? system : getCACertificates('bundled');
  const all = new Set([
    certificate.trim(),
    ...[...getCACertificates('extra'), ...roots].map((pem) => pem.trim()),
  ]);
  return `${[...all].join('\n')}\n`;
}
