// What the conformance suite runs as a client: `node conformance-client.ts [PROXY_CONFIG] URL`. It plays the scenario that
// MCP_CONFORMANCE_SCENARIO names with the official SDK, against the URL itself or, where VIA_SIDECAR is set, through an
// outrider of its own whose one upstream that URL is.

import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { startSidecarFor } from './sidecar.ts';

const url = process.argv.at(-1)!;
const sidecar = process.env.VIA_SIDECAR ? await startSidecarFor(url) : null;

const client = new Client(
  { name: 'conformance-client', version: '1.0.0' },
  { capabilities: { elicitation: { form: { applyDefaults: true } } } },
);
client.setRequestHandler(ElicitRequestSchema, () => ({ action: 'accept', content: {} }));
await client.connect(new StreamableHTTPClientTransport(new URL(sidecar?.url ?? url)) as Transport);
const { tools } = await client.listTools();
const args: Readonly<Record<string, object>> = { add_numbers: { a: 5, b: 3 } };
if (process.env.MCP_CONFORMANCE_SCENARIO !== 'initialize')
  for (const { name } of tools) await client.callTool({ name, arguments: { ...args[name] } });
await client.close();
await sidecar?.stop();
