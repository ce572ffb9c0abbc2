// A page as JSON to any URL, signed as Standard Webhooks say (standardwebhooks.com): `webhook-signature` is `v1,` and the
// base64 of HMAC-SHA256 over `id.timestamp.body`. The key is the secret's fragment: https://you.example/hook#whsec_….
// `x-outrider-signature` says the same in hex over `timestamp.body`, for whoever wants to check it by hand.

import { createHmac } from 'node:crypto';
import type { Page } from '../../contract/alert.ts';
import type { Message } from './message.ts';

/** `id` stays the same when the page is sent again; `address` is the secret: a URL, and behind `#` the key to sign with. */
export function webhookMessage(page: Page, address: string, id: string, nowMs: number): Message {
  const [url = '', key = ''] = address.split('#');
  const body = JSON.stringify(page);
  const timestamp = Math.floor(nowMs / 1000).toString();
  const headers = { 'content-type': 'application/json', 'webhook-id': id, 'webhook-timestamp': timestamp };
  return {
    url,
    headers: key === '' ? headers : { ...headers, ...signatures(key, id, timestamp, body) },
    body,
  };
}

function signatures(key: string, id: string, timestamp: string, body: string): Record<string, string> {
  const secret = key.startsWith('whsec_')
    ? Buffer.from(key.slice('whsec_'.length), 'base64')
    : Buffer.from(key);
  const standard = createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`).digest('base64');
  const own = createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex');
  return { 'webhook-signature': `v1,${standard}`, 'x-outrider-signature': `t=${timestamp},v1=${own}` };
}
