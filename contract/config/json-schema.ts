// The JSON Schema of outrider.yaml, for editors: what may be typed, not what it turns into.

import { z } from 'zod';
import { configSchema } from './schema.ts';

export function jsonSchemaText(): string {
  return `${JSON.stringify(z.toJSONSchema(configSchema, { io: 'input' }), null, 2)}\n`;
}
