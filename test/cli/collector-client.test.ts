// A command's way to the collector: one sentence, whatever is in its way.

import { expect, test } from 'vitest';
import { collectorClient } from '../../cli/collector-client.ts';
import { sentenceOf } from '../../kit/log.ts';

const client = (env: NodeJS.ProcessEnv, url?: string) =>
  collectorClient(
    { collector: url, data: '/nowhere' },
    { stdout: () => undefined, stderr: () => undefined, env },
  );

test('nobody there', async () => {
  const failure = await client({ OUTRIDER_TOKEN: 'orj_x' }, 'http://127.0.0.1:1')
    .get('/v1/budgets')
    .catch(sentenceOf);
  expect(failure).toMatch(
    /^No collector answers at http:\/\/127\.0\.0\.1:1; .* OUTRIDER_COLLECTOR \(fetch failed.*\)\.$/,
  );
});

test('no token, and one that is none', () => {
  expect(() => client({})).toThrow('There is no join token in /nowhere/token');
  expect(() => client({ OUTRIDER_TOKEN: 'two\nlines' })).toThrow(
    'OUTRIDER_TOKEN holds what no join token does',
  );
});
