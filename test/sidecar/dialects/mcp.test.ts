// What the mcp dialect makes of messages, lists and refusals: hostile ones are data, test/cases/mcp-*.jsonl.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Refusal } from '../../../contract/refusals.ts';
import type { Subject } from '../../../contract/rules.ts';
import { parseStrict } from '../../../kit/strict-json.ts';
import type {
  AnswerView,
  Description,
  JsonBody,
  JsonObject,
  RequestHead,
} from '../../../sidecar/dialects/dialect.ts';
import { mcp } from '../../../sidecar/dialects/mcp.ts';
import { applySplices } from '../../../sidecar/dialects/members.ts';

interface MessageCase {
  readonly id: string;
  readonly request: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Why it is refused; without, the names of what it asks for. */
  readonly reason?: string;
  readonly acts?: readonly string[];
}

function cases<T>(name: string): T[] {
  const url = new URL(`../../cases/${name}`, import.meta.url);
  return readFileSync(url, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as T);
}

function read(request: string, headers: RequestHead['headers'], body: string): Description {
  const [method = '', target = ''] = request.split(' ');
  const [path = '', query] = target.split('?');
  const head = { method, path, query: query === undefined ? '' : `?${query}`, headers };
  const endpoint = mcp.recognise(head);
  if (!endpoint) throw new Refusal('out_of_scope', 'unknown', { reason: 'unknown_endpoint' });
  const bytes = Buffer.from(body);
  return mcp.describe(endpoint, head, body === '' ? {} : (parseStrict(bytes) as JsonBody), bytes);
}

describe('a message', () => {
  it.each(cases<MessageCase>('mcp-messages.jsonl'))('$id', ({ request, headers, body, reason, acts }) => {
    let found: unknown;
    try {
      found = read(request, headers, body).acts.map(({ name }) => name);
    } catch (failure) {
      if (!(failure instanceof Refusal)) throw failure;
      found = failure.detail.reason;
    }
    expect(found).toEqual(reason ?? acts);
  });

  it('is only taken at the endpoint of its server, with or without a closing slash', () => {
    const at = (path: string) =>
      mcp.recognise({ method: 'POST', path, query: '', headers: {} }, '/v1/mcp')?.name;
    expect([at('/v1/mcp'), at('/v1/mcp/')]).toEqual(['message', 'message']);
    expect([at('/v1/mcp/x'), at('/v1'), at('/'), at('/V1/mcp')]).toEqual(Array(4).fill(undefined));
  });
});

const TRACE = ['traceparent', '00-aa-bb-01', 'baggage', 'outrider.caller=scout'];
const OURS = '"traceparent":"00-aa-bb-01","baggage":"outrider.caller=scout"';

describe('trace context', () => {
  it.each([
    [
      '{"jsonrpc":"2.0","id":1,"method":"ping"}',
      `{"params":{"_meta":{${OURS}}},"jsonrpc":"2.0","id":1,"method":"ping"}`,
    ],
    ['{"id":1,"method":"ping","params":{}}', `{"id":1,"method":"ping","params":{"_meta":{${OURS}}}}`],
    ['{"id":1,"method":"ping","params":null}', `{"id":1,"method":"ping","params":{"_meta":{${OURS}}}}`],
    [
      '{"id":1,"method":"m","params":{"name":"a","_meta":{"progressToken":12345678901234567890}}}',
      `{"id":1,"method":"m","params":{"name":"a","_meta":{${OURS},"progressToken":12345678901234567890}}}`,
    ],
    [
      '{"id":1,"method":"m","params":{"_meta":{"tracestate":"x=1","trace\\u0070arent":"00-cc-dd-01"}}}',
      '{"id":1,"method":"m","params":{"_meta":{"baggage":"outrider.caller=scout","tracestate":"","trace\\u0070arent":"00-aa-bb-01"}}}',
    ],
    ['{"method":"notifications/initialized"}', '{"method":"notifications/initialized"}'],
    ['{"id":1,"result":{}}', '{"id":1,"result":{}}'],
    ['[{"id":1,"method":"ping"}]', '[{"id":1,"method":"ping"}]'],
  ])('%s', (body, expected) => {
    const bytes = Buffer.from(body);
    const splices = mcp.splices({} as Description, JSON.parse(body) as JsonBody, bytes, null, TRACE);
    const spliced = applySplices(bytes, splices).toString();
    expect(spliced).toBe(expected);
    expect(() => parseStrict(Buffer.from(spliced))).not.toThrow();
  });
});

const subjectName = (subject: Subject): string => ('tool' in subject ? subject.tool : '');

function view(contentType: string, more: Partial<AnswerView> = {}): AnswerView {
  return {
    upstream: 'files',
    upstreamUrl: 'http://127.0.0.1:1/mcp',
    reachedAs: 'http://127.0.0.1:2/files',
    description: {} as Description,
    head: { method: 'POST', path: '/', query: '', headers: {} },
    status: 200,
    contentType,
    allows: (subject) => /^(?:read|resource:file:\/\/\/drafts|prompt:ok)/.test(subjectName(subject)),
    pinned: (tool) => tool !== 'read_changed',
    keepFile: () => undefined,
    ...more,
  };
}

function rewritten(
  text: string,
  contentType: string,
  more: Partial<AnswerView> = {},
  split = text.length,
): string {
  const rewriter = mcp.rewriter!(view(contentType, more))!;
  const bytes = Buffer.from(text);
  const parts = [
    rewriter.push(bytes.subarray(0, split)),
    rewriter.push(bytes.subarray(split)),
    rewriter.flush(),
  ];
  return Buffer.concat(parts).toString();
}

const LIST = `{"jsonrpc":"2.0", "id":9007199254740993,"result":{"tools":[ {"name":"write"}, {"name":"read_é","inputSchema":{"maximum":9223372036854775807}},{"name":"read_changed"},{"name":"readme"} ,{"name":7}],"nextCursor":"c"}}`;
const CUT = `{"jsonrpc":"2.0", "id":9007199254740993,"result":{"tools":[{"name":"read_é","inputSchema":{"maximum":9223372036854775807}},{"name":"readme"}],"nextCursor":"c"}}`;

describe('a list', () => {
  it('is cut in its bytes: what stays is the server’s own text', () => {
    expect(rewritten(LIST, 'application/json')).toBe(CUT);
    expect(rewritten(`[${LIST}]`, 'application/json')).toBe(`[${CUT}]`);
  });

  it('passes untouched where nothing is hidden, where it is none, and where it is an error', () => {
    const whole = '{"id":1,"result":{ "tools" : [{"name":"read"}] }}';
    expect(rewritten(whole, 'application/json')).toBe(whole);
    expect(rewritten('<html>', 'application/json')).toBe('<html>');
    expect(mcp.rewriter!(view('application/json', { status: 401 }))).toBeNull();
  });

  it('is cut in a stream, at every split, and everything else of the stream passes', () => {
    const events = (data: string) =>
      `id: 1\r\nretry: 500\r\ndata: \r\n\r\n: ping\n\nevent: message\nid: 2\n${data}\n\ndata: {"method":"notifications/x"}\n\nid: 3`;
    const text = events(`data: ${LIST}`);
    for (let at = 0; at <= Buffer.byteLength(text); at++)
      expect(rewritten(text, 'text/event-stream', {}, at)).toBe(events(`data: ${CUT}`));
  });

  it('holds resources, templates and prompts by their own names', () => {
    const text = JSON.stringify({
      result: {
        resources: [
          { uri: 'file:///drafts/a' },
          { uri: 'file:///etc/passwd' },
          { uri: 'file:///drafts/../x' },
        ],
        resourceTemplates: [{ uriTemplate: 'file:///drafts/{name}' }, { uriTemplate: 'file:///{path}' }],
        prompts: [{ name: 'ok' }, { name: 'other' }],
      },
    });
    expect(JSON.parse(rewritten(text, 'application/json'))).toEqual({
      result: {
        resources: [{ uri: 'file:///drafts/a' }],
        resourceTemplates: [{ uriTemplate: 'file:///drafts/{name}' }],
        prompts: [{ name: 'ok' }],
      },
    });
  });

  it('that two readers could read differently does not pass', () => {
    const twice = '{"result":{"tools":[{"name":"read"}],"tools":[{"name":"write"}]}}';
    expect(() => rewritten(twice, 'application/json')).toThrow('same key twice');
  });

  it('gives one digest to one definition, whatever the order of its members and its _meta', () => {
    const digests = new Set<string>();
    const pinned = (_tool: string, digest: string) => Boolean(digests.add(digest));
    const list = (tool: object) => JSON.stringify({ result: { tools: [tool] } });
    rewritten(list({ name: 'read', description: 'a', _meta: { at: 1 } }), 'application/json', { pinned });
    rewritten(list({ description: 'a', name: 'read' }), 'application/json', { pinned });
    expect(digests.size).toBe(1);
    rewritten(list({ description: 'a', name: 'read', annotations: {} }), 'application/json', { pinned });
    expect(digests.size).toBe(2);
  });

  it.each(cases<{ id: string; tool: JsonObject; shown: boolean }>('mcp-header-parameters.jsonl'))(
    'hides a tool that asks for headers wrongly: $id',
    ({ tool, shown }) => {
      const text = JSON.stringify({ result: { tools: [tool] } });
      const answer = JSON.parse(rewritten(text, 'application/json', { allows: () => true })) as JsonObject;
      expect((answer.result as JsonObject).tools).toHaveLength(shown ? 1 : 0);
    },
  );
});

describe('a refusal', () => {
  const denied = new Refusal('out_of_scope', 'files/x was refused.', { reason: 'tool_changed' });
  const refused = (refusal: Refusal, body: string, headers: Record<string, string> = {}) => {
    const head = { method: 'POST', path: '/', query: '', headers };
    const asked = { callId: 'call-1', head, json: JSON.parse(body) as JsonBody, body: Buffer.from(body) };
    const { status, body: text } = mcp.refuse(refusal, asked);
    return { status, text, answer: JSON.parse(text) as JsonObject };
  };

  it('of a tool call is a result that a model can read, under the id as it was written', () => {
    const { status, text, answer } = refused(
      denied,
      '{"jsonrpc":"2.0","id":9007199254740993,"method":"tools/call"}',
    );
    expect(status).toBe(200);
    expect(text).toContain('"id":9007199254740993,');
    expect(answer.result).toMatchObject({
      isError: true,
      content: [
        {
          type: 'text',
          text: expect.stringMatching(/^out_of_scope \(tool_changed\): files\/x was refused\. Ask /),
        },
      ],
      _meta: { 'outrider/refusal': { code: 'out_of_scope', reason: 'tool_changed', call_id: 'call-1' } },
    });
    expect(answer.result).not.toHaveProperty('structuredContent');
    expect(answer.result).not.toHaveProperty('resultType');
  });

  it('says that the result is complete where results must', () => {
    const body = '{"jsonrpc":"2.0","id":"a","method":"tools/call"}';
    const { answer } = refused(denied, body, { 'mcp-protocol-version': '2026-07-28' });
    expect(answer.result).toMatchObject({ resultType: 'complete' });
  });

  it.each([
    ['{"jsonrpc":"2.0","id":1,"method":"resources/read"}', 403, 1, -32000],
    ['{"jsonrpc":"2.0","method":"notifications/cancelled"}', 403, null, -32000],
    ['{"jsonrpc":"2.0","id":1,"result":{}}', 403, null, -32000],
    ['[{"jsonrpc":"2.0","id":1,"method":"tools/call"}]', 403, null, -32000],
  ])('of %s is an error under its own status', (body, status, id, code) => {
    const found = refused(denied, body);
    expect(found.status).toBe(status);
    expect(found.answer).toMatchObject({ id, error: { code, data: { code: 'out_of_scope' } } });
  });

  it.each([
    ['header_mismatch', -32020],
    ['unsupported_version', -32022],
    ['malformed_json', -32700],
    ['bad_field', -32602],
    ['batch', -32600],
  ])('for %s has the protocol’s own code, of a tool call too', (reason, code) => {
    const body = '{"jsonrpc":"2.0","id":1,"method":"tools/call"}';
    const found = refused(new Refusal('bad_request', 'No.', { reason }), body);
    expect([found.status, found.answer]).toMatchObject([400, { error: { code } }]);
  });
});
