// Query parameters, `{name:Type}` in the statement and `param_name` in the URL, put into the text before anything judges
// it. The engine could bind them itself, but chDB keeps bound values per process, where parallel queries mix them up, and
// an Identifier bound after judgement could name what the judge never saw.

import { quoted } from '../sql-text.ts';
import { pieces } from './pieces.ts';

export class ParameterFailure extends Error {
  override name = 'ParameterFailure';
}

/**
 * The statement with every placeholder replaced. Values are as ClickHouse's HTTP interface takes them: text in the
 * escaping of TabSeparated. Throws ParameterFailure when one is missing.
 */
export function substitute(statement: string, parameters: ReadonlyMap<string, string>): string {
  let bound = '';
  for (const { kind, text } of pieces(statement))
    bound += kind === 'placeholder' ? placed(text, parameters) : text;
  return bound;
}

function placed(placeholder: string, parameters: ReadonlyMap<string, string>): string {
  const colon = placeholder.indexOf(':');
  const name = placeholder.slice(1, colon).trim();
  const type = placeholder.slice(colon + 1, -1).trim();
  const value = parameters.get(name);
  if (value === undefined) throw new ParameterFailure(`Substitution \`${name}\` is not set`);
  return type === 'Identifier' ? identifier(value) : literal(value, type);
}

const identifier = (value: string) => `\`${value.replace(/[\\`]/g, '\\$&')}\``;

/** Scalars come in TabSeparated's escapes, which are those of a string literal; lists and maps come as they are written. */
function literal(value: string, type: string): string {
  if (value === '\\N') return `CAST(NULL, ${quoted(type)})`;
  // The engine reads no map from a text by itself, but does within a list.
  if (/^Map\b/.test(type)) return `CAST(${quoted(`[${value}]`)}, ${quoted(`Array(${type})`)})[1]`;
  const text = /^(Array|Tuple|Nested|Variant|JSON)\b/.test(type) ? quoted(value) : quotedEscapes(value);
  return `CAST(${text}, ${quoted(type)})`;
}

/** Puts quotes around text that is escaped already: only bare quotes, and a backslash at the end, need help. */
function quotedEscapes(text: string): string {
  const inside = text.replace(/\\[\s\S]|\\$|'/g, (token) => {
    if (token === "'") return "\\'";
    return token === '\\' ? '\\\\' : token;
  });
  return `'${inside}'`;
}
