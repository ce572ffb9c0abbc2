// OTLP attributes as SQL: a list of (key, AnyValue) becomes the text map of the OpenTelemetry exporter's columns. Scalars
// stand plain, bytes in base64, lists and maps as JSON.

/** What only an authenticated sidecar may say. */
const FOREIGN_PREFIX = 'outrider.';

/** One scalar as JSON, for members of arrays and key-value lists. */
const scalarJson = (v: string) =>
  `multiIf(${v}.value = 's', toJSONString(${v}.string_value), ${v}.value = 'i', toString(${v}.int_value), ` +
  `${v}.value = 'b', if(${v}.bool_value, 'true', 'false'), ` +
  `${v}.value = 'd' AND isFinite(${v}.double_value), toString(${v}.double_value), ` +
  `${v}.value = 'x', toJSONString(base64Encode(${v}.bytes_value)), 'null')`;

/** The parts of an attribute, each taken out of the list as an array of its own. */
const SCALAR_PARTS: Readonly<Record<string, string>> = {
  key: 'key',
  arm: 'value.value',
  s: 'value.string_value',
  i: 'value.int_value',
  b: 'value.bool_value',
  d: 'value.double_value',
  x: 'value.bytes_value',
};
const PARTS = { ...SCALAR_PARTS, a: 'value.array_value.values', k: 'value.kvlist_value.values' };

const SCALAR_ARMS = `arm = 's', s, arm = 'i', toString(i), arm = 'b', if(b, 'true', 'false'), arm = 'd', toString(d),
      arm = 'x', base64Encode(x)`;
const LIST_ARMS = `arm = 'a', concat('[', arrayStringConcat(arrayMap(v -> ${scalarJson('v')}, a), ','), ']'),
      arm = 'k', concat('{', arrayStringConcat(arrayMap(e -> concat(toJSONString(e.key), ':', ${scalarJson('e.value')}), k), ','), '}')`;

const textMap = (list: string, parts: Readonly<Record<string, string>>, arms: string) =>
  `CAST(arrayFilter(pair -> NOT (foreign AND startsWith(pair.1, '${FOREIGN_PREFIX}')),
      arrayMap((${Object.keys(parts).join(', ')}) -> (key, multiIf(${arms}, '')),
      ${Object.values(parts)
        .map((part) => `${list}.${part}`)
        .join(', ')})), 'Map(LowCardinality(String), String)')`;

/** `list` as a map. A column `foreign` must stand beside it: where it is 1, FOREIGN_PREFIX's keys are left out. */
export const attributeMap = (list: string): string => textMap(list, PARTS, `${SCALAR_ARMS}, ${LIST_ARMS}`);

/** The same for events and links, whose lists are not read: they come out empty. */
export const scalarAttributeMap = (list: string): string => textMap(list, SCALAR_PARTS, SCALAR_ARMS);

const VALUE_PARTS: Readonly<Record<string, string>> = {
  s: 'string_value',
  i: 'int_value',
  b: 'bool_value',
  d: 'double_value',
  x: 'bytes_value',
};

/** One value of any kind as text, as `attributeMap` writes it; empty where there is none. */
export const anyText = (value: string): string =>
  `arrayMap((${['arm', ...Object.keys(VALUE_PARTS), 'a', 'k'].join(', ')}) -> multiIf(${SCALAR_ARMS}, ${LIST_ARMS}, ''),
    ${['value', ...Object.values(VALUE_PARTS), 'array_value.values', 'kvlist_value.values']
      .map((part) => `[${value}.${part}]`)
      .join(', ')})[1]`;
