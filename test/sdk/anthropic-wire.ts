// Anthropic's Messages API on the wire, as far as its reference says: what the double of its SDKs' tests answers.

import { eventStream, type Received, type Reply } from './double.ts';

const USAGE = { input_tokens: 100, output_tokens: 10 };

interface Asked {
  readonly stream?: boolean;
  readonly tools?: readonly { readonly name: string }[];
}

export function anthropicAnswer(request: Received): Reply {
  const { pathname } = new URL(request.url, 'http://x');
  const path = pathname.slice(pathname.indexOf('/v1/'));
  if (path === '/v1/messages') {
    const asked = JSON.parse(request.body.toString()) as Asked;
    return asked.stream
      ? streamed(asked)
      : { body: { ...HEAD, content: [block(asked)], ...ending(asked), usage: USAGE } };
  }
  if (path === '/v1/messages/batches' && request.method === 'POST') return { body: BATCH };
  if (path === '/v1/messages/batches/msgbatch_1') return { body: BATCH };
  if (path === '/v1/messages/count_tokens') return { body: { input_tokens: 100 } };
  return { status: 404, body: { type: 'error', error: { type: 'not_found_error', message: path } } };
}

const HEAD = { id: 'msg_1', type: 'message', role: 'assistant', model: 'claude-haiku-4-5' };
const BATCH = {
  id: 'msgbatch_1',
  type: 'message_batch',
  processing_status: 'in_progress',
  results_url: null,
};

const block = ({ tools }: Asked): object =>
  tools
    ? { type: 'tool_use', id: 'toolu_1', name: tools[0]!.name, input: { city: 'Oslo' } }
    : { type: 'text', text: 'hello' };
const ending = ({ tools }: Asked): object => ({
  stop_reason: tools ? 'tool_use' : 'end_turn',
  stop_sequence: null,
});

function streamed(asked: Asked): Reply {
  const delta = asked.tools
    ? { type: 'input_json_delta', partial_json: '{"city":"Oslo"}' }
    : { type: 'text_delta', text: 'hello' };
  const begun = asked.tools ? { ...block(asked), input: {} } : { type: 'text', text: '' };
  const message = {
    ...HEAD,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: { ...USAGE, output_tokens: 1 },
  };
  return eventStream(
    [
      { type: 'message_start', message },
      { type: 'content_block_start', index: 0, content_block: begun },
      { type: 'ping' },
      { type: 'content_block_delta', index: 0, delta },
      { type: 'content_block_stop', index: 0 },
      { type: 'message_delta', delta: ending(asked), usage: { output_tokens: 10 } },
      { type: 'message_stop' },
    ],
    true,
  );
}
