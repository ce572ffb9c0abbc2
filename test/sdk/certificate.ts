// A certificate for localhost by an authority that nobody knows but who is told: what a provider's double shows.

import { webcrypto } from 'node:crypto';
import type * as X509 from '@peculiar/x509';

export interface ServerCertificate {
  readonly authorityPem: string;
  readonly certificatePem: string;
  readonly keyPem: string;
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY_MS = 86_400_000;

export async function makeServerCertificate(): Promise<ServerCertificate> {
  const x509 = await library();
  x509.cryptoProvider.set(webcrypto as Crypto);
  const validity = { notBefore: new Date(Date.now() - DAY_MS), notAfter: new Date(Date.now() + DAY_MS) };
  const shared = { ...validity, signingAlgorithm: ALGORITHM };
  const authorityKeys = await keyPair();
  const authority = await x509.X509CertificateGenerator.createSelfSigned({
    ...shared,
    serialNumber: '01',
    name: 'CN=Authority of a double',
    keys: authorityKeys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
    ],
  });
  const keys = await keyPair();
  const leaf = await x509.X509CertificateGenerator.create({
    ...shared,
    serialNumber: '02',
    subject: 'CN=localhost',
    issuer: authority.subject,
    publicKey: keys.publicKey,
    signingKey: authorityKeys.privateKey,
    extensions: [
      new x509.SubjectAlternativeNameExtension([
        { type: 'dns', value: 'localhost' },
        { type: 'ip', value: '127.0.0.1' },
      ]),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
    ],
  });
  const key = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  return {
    authorityPem: authority.toString('pem'),
    certificatePem: leaf.toString('pem'),
    keyPem: `-----BEGIN PRIVATE KEY-----\n${key}\n-----END PRIVATE KEY-----\n`,
  };
}

const keyPair = () => webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);

/** Its container asks for a reflection polyfill, of which nothing here has a use. */
function library(): Promise<typeof X509> {
  const nothing = (): undefined => undefined;
  if (!('getMetadata' in Reflect))
    Object.assign(Reflect, { getMetadata: nothing, getOwnMetadata: nothing, defineMetadata: nothing });
  return import('@peculiar/x509');
}
