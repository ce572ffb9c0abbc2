// Azure OpenAI: chat completions under a deployment's name, whose price the file gives; a stream begins with what the
// filters said of the prompt. The model that answers is told in the answer. At $1 in, $0.10 cached, $10 out a million.

import { openaiChat } from './openai-chat.ts';
import type { AccountingRows, NotThere, Scenario, Situation } from './scenario.ts';

const FILTERED = `data: ${JSON.stringify({
  choices: [],
  created: 0,
  id: '',
  model: '',
  object: '',
  prompt_filter_results: [{ prompt_index: 0, content_filter_results: { hate: { filtered: false } } }],
})}\n\n`;

/** The same exchanges as OpenAI's, as Azure has them on the wire. */
function asAzure([situation, row]: [string, Scenario | NotThere]): [string, Scenario | NotThere] {
  if ('why' in row) return [situation, row];
  if (situation === 'hosted tool')
    return [situation, { why: 'Azure serves chat completions without hosted tools.' }];
  const streams = row.answer.headers['content-type']?.startsWith('text/event-stream');
  const chunks =
    streams && !row.answer.headers['content-encoding'] ? [FILTERED, ...row.answer.chunks] : row.answer.chunks;
  return [
    situation,
    {
      ...row,
      request: {
        ...row.request,
        path: '/openai/deployments/writer/chat/completions?api-version=2025-04-01-preview',
      },
      answer: { ...row.answer, chunks },
    },
  ];
}

export const azure: AccountingRows = {
  title: 'Azure OpenAI chat',
  dialect: 'openai',
  allow: ['llm azure/writer'],
  prices: {
    'azure/writer': '{ input: 1, cached_input: 0.1, output: 10, context_window: 10000 }',
    'azure/gpt-5-mini': '{ input: 1, cached_input: 0.1, output: 10, context_window: 10000 }',
  },
  rows: Object.fromEntries(Object.entries(openaiChat.rows).map(asAzure)) as Readonly<
    Record<Situation, Scenario | NotThere>
  >,
};
