// Tokens: who may come, as what, until when.

import { TOKEN_KINDS } from '../../../contract/token.ts';
import { body, inPath, json, listOf, object, ok, text } from './pieces.ts';

const claims = {
  type: 'object',
  description:
    'What the holder of a telemetry token is bound to: by resource attribute (`agent` stands for service.name) its values',
  additionalProperties: { type: 'array', items: text, minItems: 1 },
};
const line = {
  name: text,
  kind: { enum: TOKEN_KINDS },
  claims,
  created_by: text,
  created_at: { type: 'string', format: 'date-time' },
  expires_at: { type: ['string', 'null'], format: 'date-time' },
};

export const tokenPaths = {
  '/v1/tokens': {
    get: { summary: 'The tokens in force, without their secrets', responses: ok('Tokens', listOf('Token')) },
    post: {
      summary: 'Make a token; it is in the answer, this once',
      requestBody: body(
        object(
          {
            name: text,
            kind: { enum: TOKEN_KINDS },
            claims,
            for_ms: { type: ['integer', 'null'], minimum: 1 },
          },
          ['claims', 'for_ms'],
        ),
      ),
      responses: {
        201: {
          description: 'Made',
          content: json({ allOf: [{ $ref: '#/components/schemas/Token' }, object({ token: text })] }),
        },
        409: { description: 'The name is taken, or too many are in force' },
      },
    },
  },
  '/v1/tokens/{name}': {
    delete: {
      summary: 'Revoke a token, at once: its open streams end',
      parameters: [inPath('name')],
      responses: {
        ...ok('Revoked', { type: 'object' }),
        404: { description: 'None of this name is in force' },
      },
    },
  },
} as const;

export const tokenSchemas = { Token: object(line) };
