// Requests that pass, of each dialect, door and binding, as the bytes of their head and body: what the mutations start from.

import type { Places } from './places.ts';

export interface Valid {
  /** Head lines without Content-Length, which is written to fit. */
  readonly head: readonly string[];
  readonly body: string | Buffer;
  /** How the head says where the body ends; `none` for what follows an upgrade. */
  readonly framing: 'length' | 'chunked' | 'none';
  /** The CONNECT that is answered before anything is sent, and whether TLS begins inside. */
  readonly through?: { readonly authority: string; readonly encrypted: boolean };
}

const CLOSE = 'Connection: close';
const JSON_HEAD = ['Content-Type: application/json', CLOSE];

const chatBody = JSON.stringify({
  model: 'gpt-5-mini',
  max_completion_tokens: 20,
  messages: [{ role: 'user', content: 'hi' }],
});
const messageBody = JSON.stringify({
  model: 'claude-haiku-4-5',
  max_tokens: 20,
  messages: [{ role: 'user', content: 'hi' }],
});
const responseBody = JSON.stringify({ model: 'gpt-5-mini', max_output_tokens: 20, input: 'hi' });
const contentBody = JSON.stringify({
  contents: [{ role: 'user', parts: [{ text: 'hi' }] }],
  generationConfig: { maxOutputTokens: 20 },
});
const converseBody = JSON.stringify({
  messages: [{ role: 'user', content: [{ text: 'hi' }] }],
  inferenceConfig: { maxTokens: 20 },
});
const rpcBody = (method: string, params: object): string =>
  JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
const toolBody = rpcBody('tools/call', { name: 'read_file', arguments: { path: '/drafts/a' } });
const said = { metadata: { skillId: 'summarise' }, message: { messageId: 'm', role: 'user', parts: [] } };

/** The methods and paths of each API. */
function ofModels(post: Post): readonly Valid[] {
  const chat = post('/openai/v1/chat/completions', chatBody);
  return [
    chat,
    { ...chat, framing: 'chunked' },
    post('/openai/v1/responses', responseBody, ['Authorization: Bearer sk-agent']),
    post('/anthropic/v1/messages', messageBody, ['x-api-key: sk-agent', 'anthropic-version: 2023-06-01']),
    post('/gemini/v1beta/models/gemini-2.5-flash:generateContent', contentBody, ['x-goog-api-key: sk-agent']),
    post('/gemini/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse', contentBody),
    post('/bedrock/model/amazon.nova-lite-v1%3A0/converse', converseBody),
  ];
}

function ofTools(post: Post): readonly Valid[] {
  return [
    post('/tools/mcp', toolBody, [
      'Accept: application/json, text/event-stream',
      'MCP-Protocol-Version: 2025-06-18',
    ]),
    post('/writer/', rpcBody('message/send', said)),
    post('/writer/', rpcBody('SendMessage', said), ['A2A-Version: 1.0']),
    post('/writer/v1/message:send', JSON.stringify(said)),
  ];
}

type Post = (path: string, body: string, more?: readonly string[]) => Valid;

export function validRequests({ proxy, origin, secure }: Places): readonly Valid[] {
  const posting =
    (host: string): Post =>
    (path, body, more = []) => ({
      head: [`POST ${path} HTTP/1.1`, `Host: ${host}`, ...JSON_HEAD, ...more],
      body,
      framing: 'length',
    });
  const get = (target: string, host: string): Valid => ({
    head: [`GET ${target} HTTP/1.1`, `Host: ${host}`, CLOSE],
    body: '',
    framing: 'length',
  });
  const post = posting(proxy);
  const plainly = { authority: origin, encrypted: false };
  const encrypted = { authority: secure, encrypted: true };
  return [
    ...ofModels(post),
    ...ofTools(post),
    get('/openai/v1/models', proxy),
    get('/pages/ok/a?b=c', proxy),
    upgrade(`/pages/live/a`, proxy),
    get(`http://${origin}/pages/ok/a`, origin),
    posting(origin)(`http://${origin}/o/v1/chat/completions`, chatBody),
    { head: [`CONNECT ${origin} HTTP/1.1`, `Host: ${origin}`], body: '', framing: 'none' },
    { ...get('/pages/ok/a', origin), through: plainly },
    { ...posting(origin)('/mcp', toolBody), through: plainly },
    { ...upgrade('/pages/live/b', origin), through: plainly },
    { ...get('/pages/ok/a', secure), through: encrypted },
    { ...posting(secure)('/o/v1/chat/completions', chatBody), through: encrypted },
  ];
}

/** With a text, a ping and a close behind it, masked as an agent's frames must be. */
function upgrade(target: string, host: string): Valid {
  const head = [
    `GET ${target} HTTP/1.1`,
    `Host: ${host}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  ];
  const body = Buffer.concat([frame(1, 'hello'), frame(9, ''), frame(8, '\x03\xe8')]);
  return { head, body, framing: 'none' };
}

const MASK = [1, 2, 3, 4];

function frame(opcode: number, payload: string): Buffer {
  const masked = Buffer.from(payload, 'latin1').map((byte, at) => byte ^ MASK[at % 4]!);
  return Buffer.from([0x80 | opcode, 0x80 | masked.length, ...MASK, ...masked]);
}
