// What a Bedrock credential may be: an access key, as JSON (also as AWS's own tools print it) or as `id:secret[:token]`,
// with which each request is signed; else an API key, which is sent. AWS's names are PascalCase in files, camelCase in SDKs.

import type { JsonObject } from '../dialect.ts';
import { isObject } from '../fields.ts';

export interface AccessKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string | null;
  /** Null where the upstream's url says it. */
  readonly region: string | null;
}

/** Ids of long-lived and of temporary keys. Neither they nor secrets hold a colon; tokens are base64. */
const PAIR = /^((?:AKIA|ASIA)[A-Z0-9]{4,128}):([^:\s]+)(?::(\S+))?$/;

/** Undefined for an API key. Throws an Error, which tells nothing of it, for JSON that is no access key. */
export function accessKeyOf(secret: string): AccessKey | undefined {
  if (secret.startsWith('{')) return fromJson(secret);
  const pair = PAIR.exec(secret);
  if (!pair) return undefined;
  return { accessKeyId: pair[1]!, secretAccessKey: pair[2]!, sessionToken: pair[3] ?? null, region: null };
}

function fromJson(secret: string): AccessKey {
  const found = parse(secret);
  // `aws sts assume-role` prints the key inside `Credentials`.
  const key = isObject(found?.Credentials) ? found.Credentials : found;
  const accessKeyId = member(key, 'accessKeyId');
  const secretAccessKey = member(key, 'secretAccessKey');
  if (accessKeyId === null || secretAccessKey === null) {
    throw new Error(
      'its JSON must hold accessKeyId and secretAccessKey, and may hold sessionToken and region',
    );
  }
  const sessionToken = member(key, 'sessionToken');
  return { accessKeyId, secretAccessKey, sessionToken, region: member(key, 'region') };
}

function member(object: JsonObject | undefined, name: string): string | null {
  const value = object?.[name] ?? object?.[name[0]!.toUpperCase() + name.slice(1)];
  return typeof value === 'string' && value !== '' ? value : null;
}

function parse(text: string): JsonObject | undefined {
  try {
    const value = JSON.parse(text) as JsonObject;
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
