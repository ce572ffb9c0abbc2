// The process itself.

import { ok, unguarded } from './pieces.ts';

export const processPaths = {
  '/v1/openapi.json': { get: { summary: 'This page', responses: ok('OpenAPI', { type: 'object' }) } },
  '/healthz': {
    get: { ...unguarded, summary: 'The process answers', responses: { 200: { description: 'It does' } } },
  },
  '/readyz': {
    get: {
      ...unguarded,
      summary: 'Everything is there',
      responses: { 200: { description: 'Ready' }, 503: { description: 'What is missing' } },
    },
  },
  '/metrics': {
    get: { ...unguarded, summary: 'For Prometheus', responses: { 200: { description: 'Text format' } } },
  },
} as const;
