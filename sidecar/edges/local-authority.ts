// The certificate authority of this machine, by which TLS is intercepted: made on first need in `<data root>/ca/`,
// trusted only by the agents that are told to, never sent anywhere. Leafs live a day and only in memory.
//
//   ca/ca.pem   what agents trust (`outrider ca` prints it)
//   ca/ca.key   mode 0600

import { createPrivateKey, randomBytes, X509Certificate } from 'node:crypto';
import { chmodSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { isIP, isIPv6 } from 'node:net';
import { dirname, join } from 'node:path';
import { createSecureContext, type SecureContext } from 'node:tls';
import { makeFoldersSync } from '../../kit/folders.ts';
import { makeAuthority, makeLeaf, type Pair, type Validity } from './certificates.ts';

export interface LocalAuthority {
  /** The authority's own certificate. Throws an Error with one sentence where it cannot be read or made. */
  certificatePem(): Promise<string>;
  /**
   * What a TLS server shows for `host`: a DNS name or IP address (IPv6 with or without brackets), lower case, without
   * a trailing dot. Throws UnfitHost for anything else, and then nothing is minted.
   */
  leafFor(host: string): Promise<SecureContext>;
}

export interface LocalAuthorityOptions {
  /** `<data root>/ca`; shared by every process of this data root. */
  readonly directory: string;
  readonly nowMs: () => number;
}

/** A host for which no certificate is made: not canonical, a wildcard, or no host at all. */
export class UnfitHost extends Error {
  override name = 'UnfitHost';
}

const HOUR_MS = 3_600_000;
/** Clocks of containers run apart. */
const BACKDATED_MS = HOUR_MS;
const AUTHORITY_MS = 5 * 365 * 24 * HOUR_MS;
const LEAF_MS = 23 * HOUR_MS;
const LEAF_RENEWED_MS = HOUR_MS;
/** A context is 50 KB. */
const LEAFS_MAX = 256;
const LABEL = /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/;
const HOST_CHARACTERS_MAX = 253;

export function createLocalAuthority({ directory, nowMs }: LocalAuthorityOptions): LocalAuthority {
  let opening: Promise<Authority> | undefined;
  const leafs = new Map<string, { readonly context: Promise<SecureContext>; readonly notAfterMs: number }>();

  const authority = (): Promise<Authority> => {
    opening ??= openAuthority(directory, nowMs).catch((failure) => {
      opening = undefined;
      throw failure;
    });
    return opening;
  };

  const mint = async (host: string, validity: Validity): Promise<SecureContext> => {
    const signer = await authority();
    const leaf = await makeLeaf(host, signer, within(signer, validity));
    return createSecureContext({ cert: leaf.certificate, key: leaf.key, minVersion: 'TLSv1.2' });
  };

  return {
    certificatePem: async () => (await authority()).certificate,
    async leafFor(text) {
      const host = withoutBrackets(text);
      if (!isFit(host)) throw new UnfitHost('No certificate is made for what is no canonical host.');
      const now = nowMs();
      let leaf = leafs.get(host);
      leafs.delete(host);
      if (!leaf || leaf.notAfterMs - now < LEAF_RENEWED_MS) {
        const validity = { notBeforeMs: now - BACKDATED_MS, notAfterMs: now + LEAF_MS };
        leaf = { context: mint(host, validity), notAfterMs: validity.notAfterMs };
      }
      leafs.set(host, leaf); // the youngest use is last
      if (leafs.size > LEAFS_MAX) leafs.delete(leafs.keys().next().value!);
      try {
        return await leaf.context;
      } catch (failure) {
        if (leafs.get(host) === leaf) leafs.delete(host);
        throw failure;
      }
    },
  };
}

interface Authority extends Pair, Validity {}

/** A leaf is never valid when its authority is not. */
const within = (authority: Validity, leaf: Validity): Validity => ({
  notBeforeMs: Math.max(leaf.notBeforeMs, authority.notBeforeMs),
  notAfterMs: Math.min(leaf.notAfterMs, authority.notAfterMs),
});

function withoutBrackets(text: string): string {
  const inner = text.slice(1, -1);
  return text === `[${inner}]` && isIPv6(inner) ? inner : text;
}

function isFit(host: string): boolean {
  if (isIP(host) !== 0) return !host.includes('%') && host === host.toLowerCase();
  const labels = host.split('.');
  return host.length <= HOST_CHARACTERS_MAX && labels.every((label) => LABEL.test(label));
}

/** The one that is there, or a new one. */
async function openAuthority(directory: string, nowMs: () => number): Promise<Authority> {
  const there = read(directory, nowMs);
  if (there) return there;
  const now = nowMs();
  await write(directory, { notBeforeMs: now - BACKDATED_MS, notAfterMs: now + AUTHORITY_MS });
  const made = read(directory, nowMs);
  if (!made) throw new Error(`${directory} holds no ca.pem but other things: remove that folder.`);
  return made;
}

/** The folder appears whole or not at all: whoever of several renames first has made it, for all of them. */
async function write(directory: string, validity: Validity): Promise<void> {
  const { certificate, key } = await makeAuthority(validity);
  const draft = join(dirname(directory), `.ca.${randomBytes(8).toString('hex')}`);
  makeFoldersSync(draft, 0o700);
  try {
    writeFileSync(join(draft, 'ca.key'), key, { mode: 0o600, flush: true });
    writeFileSync(join(draft, 'ca.pem'), certificate, { mode: 0o644, flush: true });
    chmodSync(join(draft, 'ca.key'), 0o600);
    renameSync(draft, directory);
  } catch (failure) {
    if (!OTHERS_WERE_FIRST.has(String((failure as NodeJS.ErrnoException).code))) throw failure;
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

const OTHERS_WERE_FIRST = new Set(['ENOTEMPTY', 'EEXIST']);

/** Undefined where there is none. Throws an Error with one sentence where what is there must not be used. */
function read(directory: string, nowMs: () => number): Authority | undefined {
  const certificate = textOf(join(directory, 'ca.pem'));
  if (certificate === undefined) return undefined;
  const key = textOf(join(directory, 'ca.key'));
  if (key === undefined)
    throw new Error(`${directory} holds no ca.key: remove that folder to make both anew.`);
  const why = whyUnusable(directory, certificate, key);
  if (why) throw new Error(`The local authority in ${directory} cannot be used: ${why}.`);
  const { validFromDate, validToDate } = new X509Certificate(certificate);
  const validity = { notBeforeMs: validFromDate.getTime(), notAfterMs: validToDate.getTime() };
  if (nowMs() + LEAF_MS > validity.notAfterMs) {
    throw new Error(
      `The local authority in ${directory} expires at ${validToDate.toISOString()}: remove that folder, and let agents trust the one made next.`,
    );
  }
  return { certificate, key, ...validity };
}

function whyUnusable(directory: string, certificate: string, key: string): string | null {
  if ((statSync(join(directory, 'ca.key')).mode & 0o077) !== 0)
    return 'others may read ca.key, give it mode 0600';
  try {
    const parsed = new X509Certificate(certificate);
    return parsed.ca && parsed.checkPrivateKey(createPrivateKey(key))
      ? null
      : 'ca.key is not the key of ca.pem';
  } catch (failure) {
    return `ca.pem or ca.key cannot be read (${(failure as Error).message})`;
  }
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (failure) {
    if ((failure as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw failure;
  }
}
