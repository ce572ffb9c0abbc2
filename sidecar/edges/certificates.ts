// Writes the two certificates there are: the local authority's own and a leaf for one host. The X.509 library weighs
// 25 MB and is loaded with the first certificate: a sidecar that intercepts nothing never pays for it.
// Sources: RFC 5280 §§ 4.1.2, 4.2.1; CA/Browser Forum Baseline Requirements § 7.1.2 for which extension is critical.

import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import type * as X509 from '@peculiar/x509';

/** PEM, both. */
export interface Pair {
  readonly certificate: string;
  readonly key: string;
}

export interface Validity {
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

const SIGNING = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const COMMON_NAME_CHARACTERS_MAX = 64;

/** A root that signs leafs and nothing else: no further authorities below it, server certificates only. */
export async function makeAuthority(validity: Validity): Promise<Pair> {
  const x509 = await library();
  const { publicKey, privateKey, pem } = newKey();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    // A name of its own, so that trust stores which look up by name never mistake one machine's authority for another's.
    name: [{ O: ['Outrider'] }, { CN: [`Outrider local authority ${randomBytes(4).toString('hex')}`] }],
    ...dates(validity),
    keys: { publicKey, privateKey },
    signingAlgorithm: SIGNING,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth], false),
      await x509.SubjectKeyIdentifierExtension.create(publicKey),
    ],
  });
  return { certificate: `${certificate.toString('pem')}\n`, key: pem };
}

/** `host` is a canonical DNS name or an IP address without brackets. The key is fresh. */
export async function makeLeaf(host: string, authority: Pair, validity: Validity): Promise<Pair> {
  const x509 = await library();
  const issuer = new x509.X509Certificate(authority.certificate);
  const { publicKey, pem } = newKey();
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serial(),
    subject: host.length > COMMON_NAME_CHARACTERS_MAX ? [{ O: ['Outrider'] }] : [{ CN: [host] }],
    issuer: issuer.subject,
    ...dates(validity),
    publicKey,
    signingKey: createPrivateKey(authority.key).toCryptoKey(SIGNING, false, ['sign']),
    signingAlgorithm: SIGNING,
    extensions: [
      new x509.SubjectAlternativeNameExtension([{ type: isIP(host) ? 'ip' : 'dns', value: host }]),
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth], false),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
      await x509.SubjectKeyIdentifierExtension.create(publicKey),
    ],
  });
  return { certificate: `${certificate.toString('pem')}\n`, key: pem };
}

let loaded: Promise<typeof X509> | undefined;

/** The library's container asks for a reflection polyfill; nothing we use of it has parameters to be told about. */
function library(): Promise<typeof X509> {
  if (!('getMetadata' in Reflect)) {
    const nothingKnown = (): undefined => undefined;
    Object.assign(Reflect, {
      getMetadata: nothingKnown,
      getOwnMetadata: nothingKnown,
      defineMetadata: nothingKnown,
    });
  }
  loaded ??= import('@peculiar/x509');
  return loaded;
}

function newKey(): { publicKey: CryptoKey; privateKey: CryptoKey; pem: string } {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    publicKey: webKey(pair.publicKey, 'verify'),
    privateKey: webKey(pair.privateKey, 'sign'),
    pem: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

/** The public half is written into a certificate, so it may be read out again. */
const webKey = (key: KeyObject, use: 'sign' | 'verify'): CryptoKey =>
  key.toCryptoKey(SIGNING, use === 'verify', [use]);

/** 127 random bits: positive, never zero (RFC 5280 § 4.1.2.2). */
function serial(): string {
  const bytes = randomBytes(16);
  bytes[0] = (bytes[0]! & 0x7f) | 0x40;
  return bytes.toString('hex');
}

const dates = ({ notBeforeMs, notAfterMs }: Validity): { notBefore: Date; notAfter: Date } => ({
  notBefore: new Date(notBeforeMs),
  notAfter: new Date(notAfterMs),
});
