// The pieces the pages of this description are made of.

export const text = { type: 'string' };
export const whole = { $ref: '#/components/schemas/WholeNumber' };
export const json = (schema: object) => ({ 'application/json': { schema } });
export const ok = (description: string, schema: object) => ({ 200: { description, content: json(schema) } });
export const listOf = (name: string) => ({ type: 'array', items: { $ref: `#/components/schemas/${name}` } });
export const object = (properties: Record<string, object>, optional: readonly string[] = []) => ({
  type: 'object',
  required: Object.keys(properties).filter((name) => !optional.includes(name)),
  properties,
});
export const body = (schema: object) => ({ required: true, content: json(schema) });
export const query = (name: string) => ({ name, in: 'query', required: true, schema: text });
export const textOrNull = { type: ['string', 'null'] };
export const time = { type: 'string', format: 'date-time' };
export const optional = (name: string, schema: object = text) => ({
  name,
  in: 'query',
  required: false,
  schema,
});
export const inPath = (name: string) => ({ name, in: 'path', required: true, schema: text });
export const unguarded = { security: [] };
export const aMode = { enum: ['observe', 'enforce'] };
export const milliseconds = { type: ['integer', 'null'], minimum: 1 };
