// The JSON Schema is generated, committed and fresh, and the defaults it shows are the ones that hold.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { jsonSchemaText } from '../../../contract/config/json-schema.ts';
import { parseConfig } from '../../../contract/config/parse.ts';

interface Schema {
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
}

/** The document made of all the defaults that a schema shows. */
function defaultsIn(schema: Schema): unknown {
  if (schema.default !== undefined) return schema.default;
  const members = Object.entries(schema.properties ?? {}).map(
    ([key, inner]) => [key, defaultsIn(inner)] as const,
  );
  const shown = members.filter(([, value]) => value !== undefined);
  return shown.length > 0 ? Object.fromEntries(shown) : undefined;
}

describe('contract/outrider.schema.json', () => {
  it('is what `npm run schema` writes', () => {
    const committed = readFileSync(
      new URL('../../../contract/outrider.schema.json', import.meta.url),
      'utf8',
    );
    expect(committed).toBe(jsonSchemaText());
  });

  it('shows defaults that mean the same as leaving them out', async () => {
    const shown = defaultsIn(JSON.parse(jsonSchemaText()) as Schema) as Record<string, unknown>;
    expect(Object.keys(shown)).toEqual(
      expect.arrayContaining(['breakers', 'money', 'timeouts', 'listen', 'retention']),
    );
    const config = async (text: string) => {
      const { digest, sources, ...rest } = (await parseConfig([{ file: 'c.yaml', text }])).config;
      return rest;
    };
    expect(await config(stringify({ ...shown, agents: {} }))).toEqual(await config('agents: {}'));
  });
});
