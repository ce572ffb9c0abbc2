// `x-mcp-header` in a tool's input schema asks clients to repeat an argument as a header. A tool that asks for it wrongly
// must be left out of the list. Source: basic/transports/streamable-http of 2026-07-28, "Custom headers".

import type { Json } from '../dialect.ts';
import { isObject } from '../fields.ts';

const KEY = 'x-mcp-header';
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const TYPES = new Set<Json | undefined>(['string', 'integer', 'boolean']);
/** Members that hold schemas by free names. */
const MAPS = new Set(['properties', 'patternProperties', 'dependentSchemas', '$defs', 'definitions']);
/** Members that hold values, not schemas. */
const VALUES = new Set(['default', 'const', 'enum', 'examples']);

interface Place {
  readonly value: Json;
  /** `parameter`: reached from the root by `properties` alone; there it may stand. */
  readonly kind: 'root' | 'parameter' | 'elsewhere';
}

/** Whether every `x-mcp-header` within stands where it may, names a header, and names it once. */
export function declaresHeadersWell(inputSchema: Json | undefined): boolean {
  const names = new Set<string>();
  const waiting: Place[] = [{ value: inputSchema ?? null, kind: 'root' }];
  for (let place = waiting.pop(); place !== undefined; place = waiting.pop()) {
    const { value, kind } = place;
    if (Array.isArray(value)) for (const item of value) waiting.push({ value: item, kind: 'elsewhere' });
    if (!isObject(value)) continue;
    if (Object.hasOwn(value, KEY)) {
      const name = value[KEY];
      if (kind !== 'parameter' || typeof name !== 'string' || !TOKEN.test(name) || !TYPES.has(value.type))
        return false;
      if (names.has(name.toLowerCase())) return false;
      names.add(name.toLowerCase());
    }
    for (const [key, member] of Object.entries(value)) {
      if (VALUES.has(key)) continue;
      const reached = key === 'properties' && kind !== 'elsewhere' ? 'parameter' : 'elsewhere';
      if (!MAPS.has(key)) waiting.push({ value: member, kind: 'elsewhere' });
      else if (isObject(member))
        for (const schema of Object.values(member)) waiting.push({ value: schema, kind: reached });
    }
  }
  return true;
}
