// Requests that pass, one of each dialect and door, as the bytes of their head and body: what the mutations start from.

/** Head lines without Content-Length, which is written to fit. */
export interface Valid {
  readonly head: readonly string[];
  readonly body: string;
  readonly chunked?: boolean;
}

export interface Places {
  /** `127.0.0.1:port` of the sidecar and of the origin. */
  readonly proxy: string;
  readonly origin: string;
}

const CHAT = JSON.stringify({
  model: 'gpt-5-mini',
  max_completion_tokens: 20,
  messages: [{ role: 'user', content: 'hi' }],
});
const MESSAGE = JSON.stringify({
  model: 'claude-haiku-4-5',
  max_tokens: 20,
  messages: [{ role: 'user', content: 'hi' }],
});
const RESPONSE = JSON.stringify({ model: 'gpt-5-mini', max_output_tokens: 20, input: 'hi' });
const CONVERSE = JSON.stringify({
  messages: [{ role: 'user', content: [{ text: 'hi' }] }],
  inferenceConfig: { maxTokens: 20 },
});
const TOOL_CALL = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/call',
  params: { name: 'read_file', arguments: { path: '/drafts/a' } },
});

export function validRequests({ proxy, origin }: Places): readonly Valid[] {
  const json = ['Content-Type: application/json', 'Connection: close'];
  const post = (path: string, body: string, more: readonly string[] = []): Valid => ({
    head: [`POST ${path} HTTP/1.1`, `Host: ${proxy}`, ...json, ...more],
    body,
  });
  const chat = post('/openai/v1/chat/completions', CHAT);
  return [
    chat,
    { ...chat, chunked: true },
    post('/openai/v1/responses', RESPONSE, ['Authorization: Bearer sk-agent']),
    post('/anthropic/v1/messages', MESSAGE, ['x-api-key: sk-agent', 'anthropic-version: 2023-06-01']),
    post('/bedrock/model/amazon.nova-lite-v1%3A0/converse', CONVERSE),
    post('/tools/mcp', TOOL_CALL, [
      'Accept: application/json, text/event-stream',
      'MCP-Protocol-Version: 2025-06-18',
    ]),
    { head: ['GET /openai/v1/models HTTP/1.1', `Host: ${proxy}`, 'Connection: close'], body: '' },
    { head: ['GET /pages/ok/a?b=c HTTP/1.1', `Host: ${proxy}`, 'Connection: close'], body: '' },
    { head: [`GET http://${origin}/pages/ok/a HTTP/1.1`, `Host: ${origin}`, 'Connection: close'], body: '' },
    {
      head: [`POST http://${origin}/o/v1/chat/completions HTTP/1.1`, `Host: ${origin}`, ...json],
      body: CHAT,
    },
    { head: [`CONNECT ${origin} HTTP/1.1`, `Host: ${origin}`], body: '' },
  ];
}
