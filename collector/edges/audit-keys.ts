// The key that signs the log. Made at the first start and never in a backup: whoever has it can tell another story. It is
// replaced by moving it to `previous-key.pem`: the next start makes another, and both sign until that file is removed.
//
//   <data>/collector/audit/key.pem            PKCS #8, mode 0600, unless the config names a file of the operator's own
//   <data>/collector/audit/previous-key.pem   signs beside it
//   <data>/collector/audit/key-path           where that file is
//   <data>/collector/audit/vkey               what verifiers take: of both, a line each

import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { makeFolders } from '../../kit/folders.ts';

export interface AuditKeys {
  readonly key: KeyObject;
  readonly previous: KeyObject | null;
}

const KEY = 'key.pem';
const PREVIOUS = 'previous-key.pem';
const VKEY = 'vkey';
const KEY_PATH = 'key-path';

/** `given`: a file of the operator's own. Throws a sentence when a key can't be read or is not Ed25519. */
export async function readAuditKeys(directory: string, given: string | null): Promise<AuditKeys> {
  await makeFolders(directory, 0o700);
  const own = given ?? join(directory, KEY);
  const pem = await readOrNull(own);
  if (pem === null && given !== null)
    throw new Error(
      `audit.key names ${given}, and there is no such file: put the PKCS #8 key there, or remove the line.`,
    );
  const previous = await readOrNull(join(directory, PREVIOUS));
  return {
    key: pem === null ? await makeKey(own) : keyIn(pem, own),
    previous: previous === null ? null : keyIn(previous, join(directory, PREVIOUS)),
  };
}

/** So that a collector that is opened without its config finds the key that its log is signed with. */
export async function rememberKey(directory: string, given: string | null): Promise<void> {
  if (given === null) await rm(join(directory, KEY_PATH), { force: true });
  else await writeFile(join(directory, KEY_PATH), resolve(given), { mode: 0o600 });
}

/** Path of the operator's own key, as the last collector that ran was told; null for none. */
export async function rememberedKey(directory: string): Promise<string | null> {
  return (await readOrNull(join(directory, KEY_PATH))) || null;
}

/** A line for each key. */
export async function writeVkey(directory: string, lines: readonly string[]): Promise<void> {
  await writeFile(join(directory, VKEY), `${lines.join('\n')}\n`, { mode: 0o644 });
}

async function makeKey(path: string): Promise<KeyObject> {
  const { privateKey } = generateKeyPairSync('ed25519');
  const part = `${path}.part`;
  const file = await open(part, 'w', 0o600);
  try {
    await file.writeFile(privateKey.export({ type: 'pkcs8', format: 'pem' }));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(part, path);
  return privateKey;
}

function keyIn(pem: string, path: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch (cause) {
    throw new Error(`${path} holds no private key: write an Ed25519 key there as PKCS #8 PEM.`, { cause });
  }
  if (key.asymmetricKeyType === 'ed25519') return key;
  throw new Error(`${path} holds a key of type ${key.asymmetricKeyType}: the log signs with Ed25519 alone.`);
}

async function readOrNull(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (failure) {
    if ((failure as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw failure;
  }
}
