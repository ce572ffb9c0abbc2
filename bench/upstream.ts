// What every arm is measured against: nginx answering one fixed chat completion at once, so that the upstream is never
// what limits; and a small server that streams tokens with pauses, for the time to the first one.

import { spawn } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './processes.ts';

export const MODEL = 'gpt-5-mini';

/** About 1 KB each way. */
export const REQUEST = JSON.stringify({
  model: MODEL,
  max_completion_tokens: 256,
  messages: [
    { role: 'system', content: 'You are a careful assistant of a fleet of agents.' },
    { role: 'user', content: 'Summarise the state of the fleet for the morning report. '.repeat(15).trim() },
  ],
});

export const ANSWER = JSON.stringify({
  id: 'chatcmpl-bench',
  object: 'chat.completion',
  created: 1_764_000_000,
  model: `${MODEL}-2025-08-07`,
  choices: [
    {
      index: 0,
      message: {
        role: 'assistant',
        content: 'All agents are well and within their budgets. '.repeat(14).trim(),
        refusal: null,
      },
      logprobs: null,
      finish_reason: 'stop',
    },
  ],
  usage: {
    prompt_tokens: 190,
    completion_tokens: 120,
    total_tokens: 310,
    prompt_tokens_details: { cached_tokens: 64, audio_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 0 },
  },
  service_tier: 'default',
});

export interface Upstream {
  readonly url: string;
  stop(): void;
}

export async function startNginx(cpu: number): Promise<Upstream> {
  const directory = mkdtempSync(join(tmpdir(), 'outrider-bench-nginx-'));
  const port = await freePort();
  const file = join(directory, 'nginx.conf');
  writeFileSync(
    file,
    `daemon off; master_process off; pid ${directory}/pid; error_log ${directory}/error.log;
events { worker_connections 2048; }
http {
  access_log off; keepalive_requests 100000000; client_body_buffer_size 64k;
  client_body_temp_path ${directory}/body; proxy_temp_path ${directory}/proxy; fastcgi_temp_path ${directory}/fastcgi;
  uwsgi_temp_path ${directory}/uwsgi; scgi_temp_path ${directory}/scgi;
  server { listen 127.0.0.1:${port}; default_type application/json; location / { return 200 '${ANSWER.replaceAll("'", '')}'; } }
}`,
  );
  const child = spawn('taskset', ['-c', String(cpu), 'nginx', '-p', directory, '-c', file], {
    stdio: 'ignore',
  });
  return { url: `http://127.0.0.1:${port}`, stop: () => void child.kill('SIGKILL') };
}

const TOKENS = 8;
const FIRST_TOKEN_MS = 30;
const TOKEN_MS = 20;

/** Streams chat completion chunks: the first after 30 ms, then one each 20 ms. */
export async function startStreamer(): Promise<Upstream> {
  const server = createServer(streamTokens);
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, stop: () => server.closeAllConnections() };
}

export function streamTokens(request: IncomingMessage, response: ServerResponse): void {
  request.resume();
  request.on('end', () => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.flushHeaders();
    let sent = 0;
    const send = (): void => {
      if (sent < TOKENS) {
        response.write(`data: ${JSON.stringify(chunk({ content: 'word ' }))}\n\n`);
        sent += 1;
        setTimeout(send, TOKEN_MS);
        return;
      }
      const usage = { prompt_tokens: 190, completion_tokens: TOKENS, total_tokens: 190 + TOKENS };
      response.end(`data: ${JSON.stringify({ ...chunk({}), choices: [], usage })}\n\ndata: [DONE]\n\n`);
    };
    setTimeout(send, FIRST_TOKEN_MS);
  });
}

const chunk = (delta: object): object => ({
  id: 'chatcmpl-bench',
  object: 'chat.completion.chunk',
  created: 1_764_000_000,
  model: MODEL,
  choices: [{ index: 0, delta, finish_reason: null }],
  usage: null,
});
