// What a record calls a call that was refused before it was judged.

import { expect, test } from 'vitest';
import type { Accepted } from '../../sidecar/call.ts';
import { destinationText } from '../../sidecar/destination.ts';

const to = (destination: Accepted['to'], path: string): string =>
  destinationText({ method: 'GET', to: destination, path });

test('it is told as the agent wrote it', () => {
  expect(to({ kind: 'upstream', name: 'openai' }, '/v1/models')).toBe('GET /openai/v1/models');
  expect(to({ kind: 'upstream', name: '' }, '/')).toBe('GET /');
  expect(to({ kind: 'url', origin: 'https://docs.example' }, '/a')).toBe('GET https://docs.example/a');
});
