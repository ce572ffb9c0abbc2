// A server with what the public conformance suite asks for: its tools, resources and prompts, as the scenarios' own
// descriptions say (`@modelcontextprotocol/conformance`, README and `conformance server --help`).

import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import type { RequestHandlerExtra } from '@modelcontextprotocol/sdk/shared/protocol.js';
import {
  CallToolRequestSchema,
  type CallToolResult,
  CompleteRequestSchema,
  CreateMessageResultSchema,
  ElicitResultSchema,
  GetPromptRequestSchema,
  type GetPromptResult,
  ListPromptsRequestSchema,
  ListResourcesRequestSchema,
  ListResourceTemplatesRequestSchema,
  ListToolsRequestSchema,
  ReadResourceRequestSchema,
  type ReadResourceResult,
  type ServerNotification,
  type ServerRequest,
  SetLevelRequestSchema,
  SubscribeRequestSchema,
  UnsubscribeRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';

const PNG =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==';
const WAV = 'UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA=';

type Extra = RequestHandlerExtra<ServerRequest, ServerNotification>;
type Content = CallToolResult['content'][number];
type Tool = (args: Record<string, unknown>, extra: Extra) => CallToolResult | Promise<CallToolResult>;

const text = (said: string): Content => ({ type: 'text', text: said });
const image: Content = { type: 'image', data: PNG, mimeType: 'image/png' };
const says = (...content: Content[]): CallToolResult => ({ content });
const resource = (uri: string, mimeType: string, said: string): Content => ({
  type: 'resource',
  resource: { uri, mimeType, text: said },
});

const TOOLS: Readonly<Record<string, Tool>> = {
  test_simple_text: () => says(text('This is a simple text response for testing.')),
  test_image_content: () => says(image),
  test_audio_content: () => says({ type: 'audio', data: WAV, mimeType: 'audio/wav' }),
  test_embedded_resource: () =>
    says(resource('test://embedded-resource', 'text/plain', 'This is an embedded resource content.')),
  test_multiple_content_types: () =>
    says(
      text('Multiple content types test:'),
      image,
      resource('test://mixed-content-resource', 'application/json', '{"test":"data","value":123}'),
    ),
  async test_tool_with_logging(_, { sendNotification }) {
    for (const data of ['Tool execution started', 'Tool processing data', 'Tool execution completed'])
      await sendNotification({ method: 'notifications/message', params: { level: 'info', data } });
    return says(text('logged'));
  },
  async test_tool_with_progress(_, { _meta, sendNotification }) {
    const progressToken = _meta?.progressToken ?? 0;
    for (const progress of [0, 50, 100])
      await sendNotification({
        method: 'notifications/progress',
        params: { progressToken, progress, total: 100 },
      });
    return says(text('done'));
  },
  test_error_handling: () => ({
    isError: true,
    content: [text('This tool intentionally returns an error for testing')],
  }),
  async test_sampling({ prompt }, { sendRequest }) {
    const messages = [{ role: 'user' as const, content: { type: 'text' as const, text: String(prompt) } }];
    const params = { messages, maxTokens: 100 };
    const result = await sendRequest({ method: 'sampling/createMessage', params }, CreateMessageResultSchema);
    return says(text(`LLM response: ${JSON.stringify(result.content)}`));
  },
  test_elicitation: ({ message }, extra) =>
    elicited(extra, String(message), 'User response', {
      properties: {
        username: { type: 'string', description: "User's response" },
        email: { type: 'string', description: "User's email address" },
      },
      required: ['username', 'email'],
    }),
  test_elicitation_sep1034_defaults: (_, extra) =>
    elicited(extra, 'Defaults', 'Elicitation completed', {
      properties: {
        name: { type: 'string', default: 'John Doe' },
        age: { type: 'integer', default: 30 },
        score: { type: 'number', default: 95.5 },
        status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
        verified: { type: 'boolean', default: true },
      },
    }),
  test_elicitation_sep1330_enums: (_, extra) =>
    elicited(extra, 'Enums', 'Elicitation completed', {
      properties: {
        untitledSingle: { type: 'string', enum: ['option1', 'option2', 'option3'] },
        titledSingle: { type: 'string', oneOf: titled('value', 'Option') },
        legacyEnum: {
          type: 'string',
          enum: ['opt1', 'opt2', 'opt3'],
          enumNames: ['Option One', 'Option Two', 'Option Three'],
        },
        untitledMulti: { type: 'array', items: { type: 'string', enum: ['option1', 'option2', 'option3'] } },
        titledMulti: { type: 'array', items: { anyOf: titled('value', 'Choice') } },
      },
    }),
  async test_reconnection(_, { closeSSEStream }) {
    closeSSEStream?.();
    return says(text('Reconnection test completed'));
  },
  json_schema_2020_12_tool: () => says(text('ok')),
};

const titled = (value: string, title: string) =>
  ['First', 'Second', 'Third'].map((nth, index) => ({
    const: `${value}${index + 1}`,
    title: `${nth} ${title}`,
  }));

async function elicited(
  { sendRequest }: Extra,
  message: string,
  answer: string,
  schema: { properties: object; required?: string[] },
): Promise<CallToolResult> {
  const params = { mode: 'form', message, requestedSchema: { type: 'object', ...schema } };
  const request = { method: 'elicitation/create', params } as unknown as ServerRequest;
  const { action, content } = await sendRequest(request, ElicitResultSchema);
  return says(text(`${answer}: action=${action}, content=${JSON.stringify(content ?? {})}`));
}

const NEW_SCHEMA = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object' as const,
  $defs: {
    address: { type: 'object', properties: { street: { type: 'string' }, city: { type: 'string' } } },
  },
  properties: { name: { type: 'string' }, address: { $ref: '#/$defs/address' } },
  additionalProperties: false,
};

const PROMPTS: Readonly<Record<string, (args: Record<string, string>) => GetPromptResult['messages']>> = {
  test_simple_prompt: () => [user(text('This is a simple prompt for testing.'))],
  test_prompt_with_arguments: ({ arg1, arg2 }) => [
    user(text(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`)),
  ],
  test_prompt_with_embedded_resource: ({ resourceUri = '' }) => [
    user(resource(resourceUri, 'text/plain', 'Embedded resource content for testing.')),
    user(text('Please process the embedded resource above.')),
  ],
  test_prompt_with_image: () => [user(image), user(text('Please analyze the image above.'))],
};
const ARGUMENTS: Readonly<Record<string, readonly string[]>> = {
  test_prompt_with_arguments: ['arg1', 'arg2'],
  test_prompt_with_embedded_resource: ['resourceUri'],
};

function user(content: Content): GetPromptResult['messages'][number] {
  return { role: 'user', content };
}

function readResource(uri: string): ReadResourceResult {
  const id = /^test:\/\/template\/(\w+)\/data$/.exec(uri)?.[1];
  const data = JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` });
  if (id) return { contents: [{ uri, mimeType: 'application/json', text: data }] };
  if (uri === 'test://static-binary') return { contents: [{ uri, mimeType: 'image/png', blob: PNG }] };
  return {
    contents: [{ uri, mimeType: 'text/plain', text: 'This is the content of the static text resource.' }],
  };
}

export function conformanceServer(): Server {
  const server = new Server(
    { name: 'conformance', version: '1.0.0' },
    {
      capabilities: {
        tools: {},
        resources: { subscribe: true },
        prompts: {},
        completions: {},
        logging: {},
      },
    },
  );
  server.setRequestHandler(ListToolsRequestSchema, () => ({
    tools: Object.keys(TOOLS).map((name) => ({
      name,
      description: `The tool ${name}`,
      inputSchema: name === 'json_schema_2020_12_tool' ? NEW_SCHEMA : { type: 'object' as const },
    })),
  }));
  server.setRequestHandler(CallToolRequestSchema, ({ params }, extra) =>
    TOOLS[params.name]!(params.arguments ?? {}, extra),
  );
  server.setRequestHandler(ListResourcesRequestSchema, () => ({
    resources: ['test://static-text', 'test://static-binary', 'test://watched-resource'].map((uri) => ({
      uri,
      name: uri.slice('test://'.length),
      description: uri,
      mimeType: 'text/plain',
    })),
  }));
  server.setRequestHandler(ListResourceTemplatesRequestSchema, () => ({
    resourceTemplates: [{ uriTemplate: 'test://template/{id}/data', name: 'template' }],
  }));
  server.setRequestHandler(ReadResourceRequestSchema, ({ params }) => readResource(params.uri));
  server.setRequestHandler(SubscribeRequestSchema, () => ({}));
  server.setRequestHandler(UnsubscribeRequestSchema, () => ({}));
  server.setRequestHandler(ListPromptsRequestSchema, () => ({
    prompts: Object.keys(PROMPTS).map((name) => ({
      name,
      description: `The prompt ${name}`,
      arguments: (ARGUMENTS[name] ?? []).map((argument) => ({ name: argument, required: true })),
    })),
  }));
  server.setRequestHandler(GetPromptRequestSchema, ({ params }) => ({
    messages: PROMPTS[params.name]!(params.arguments ?? {}),
  }));
  server.setRequestHandler(CompleteRequestSchema, () => ({
    completion: { values: ['paris', 'park', 'party'], total: 150, hasMore: false },
  }));
  server.setRequestHandler(SetLevelRequestSchema, () => ({}));
  return server;
}
