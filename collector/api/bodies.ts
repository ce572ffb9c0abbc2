// PUT and GET /v1/bodies/{sha256}: what sidecars keep of dead letters, by its content's name, and take to replay one. For
// sidecars alone: a person reads a body where its letter is shown.

import { z } from 'zod';
import { KEPT_REQUEST_BYTES_MAX } from '../../contract/dead-letter.ts';
import type { KeptBodies } from '../control/kept-bodies.ts';
import { ApiError } from './failures.ts';
import { checked } from './messages.ts';
import type { Api } from './routes.ts';

const name = z.string().regex(/^[0-9a-f]{64}$/, 'is a SHA-256 in lower-case hex');

export function bodyRoutes(api: Api, bodies: KeptBodies): void {
  api.put('/v1/bodies/:sha256', async (context) => {
    const bytes = Buffer.from(await context.req.arrayBuffer());
    if (bytes.length > KEPT_REQUEST_BYTES_MAX)
      throw new ApiError(413, 'body_too_large', `What is kept is at most ${KEPT_REQUEST_BYTES_MAX} bytes.`);
    const came = await bodies.put(checked(context.req.param('sha256'), name), bytes);
    if (came === 'misnamed') throw new ApiError(400, 'bad_request', 'These bytes have another SHA-256.');
    if (came === 'full')
      throw new ApiError(
        503,
        'full',
        'No more bodies are kept: shorten `retention.bodies`, or discard letters.',
      );
    return context.json({});
  });
  api.get('/v1/bodies/:sha256', async (context) => {
    const bytes = await bodies.get(checked(context.req.param('sha256'), name));
    if (!bytes) throw new ApiError(404, 'unknown_body', 'Nothing is kept by this name, or no longer.');
    return context.body(new Uint8Array(bytes), 200, { 'content-type': 'application/octet-stream' });
  });
}
