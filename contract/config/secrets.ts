// Where a secret is to be found, never the secret: `env:NAME`, `file:/path`, `exec:command`, `vault:path`. Whatever else
// stands in such a place is taken for a literal secret and refused; its text is never repeated in a message or a log.

import { CHANNELS, type Channel, type SecretReference } from './config.ts';
import type { Read } from './units.ts';

export const LITERAL_SECRET =
  'a secret is never written into the file: refer to it with env:NAME, file:/path, exec:command or vault:path';

export function readSecret(text: string): Read<SecretReference> {
  const match = /^(env|file|exec|vault):(.*)$/s.exec(text);
  if (!match) return { mistake: LITERAL_SECRET };
  const reference = { from: match[1] as SecretReference['from'], locator: match[2]! };
  const mistake = mistakeIn(reference);
  return mistake === undefined ? { value: reference } : { mistake };
}

function mistakeIn({ from, locator }: SecretReference): string | undefined {
  if (from === 'env') {
    return /^[A-Za-z_][A-Za-z0-9_]*$/.test(locator) ? undefined : 'after env: comes the name of a variable';
  }
  if (from === 'file') return locator.startsWith('/') ? undefined : 'after file: comes an absolute path';
  return locator.trim() === '' ? `nothing stands after ${from}:` : undefined;
}

/** `pagerduty env:PD_KEY`: a channel's kind and where its key is; `slack env:URL`. */
export function readChannel(text: string): Read<Channel> {
  const match = /^([a-z]+) (.+)$/s.exec(text.trim());
  if (!match) return { mistake: 'write a channel and where its key is, such as pagerduty env:PD_KEY' };
  const kind = CHANNELS.find((known) => known === match[1]);
  if (!kind) return { mistake: `a channel is one of ${CHANNELS.join(', ')}` };
  const read = readSecret(match[2]!);
  return 'value' in read ? { value: { kind, secret: read.value } } : read;
}
