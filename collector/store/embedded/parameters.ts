// Query parameters, `{name:Type}` in the statement and `param_name` in the URL, put into the text before anything judges
// it. The engine could bind them itself, but chDB keeps bound values per process, where parallel queries mix them up, and
// an Identifier bound after judgement could name what the judge never saw.

export class ParameterFailure extends Error {
  override name = 'ParameterFailure';
}

/** Quoted text, quoted names, comments and heredocs are stepped over; a placeholder is the only capture. */
const TOKENS =
  /'(?:[^'\\]|\\.|'')*'|`(?:[^`\\]|\\.|``)*`|"(?:[^"\\]|\\.|"")*"|--[^\n]*|#[! ][^\n]*|\/\*[\s\S]*?\*\/|\$(\w*)\$[\s\S]*?\$\1\$|\{\s*(\w+)\s*:\s*([^{}]+?)\s*\}/g;

/**
 * The statement with every placeholder replaced. Values are as ClickHouse's HTTP interface takes them: text in the
 * escaping of TabSeparated. Throws ParameterFailure when one is missing.
 */
export function substitute(statement: string, parameters: ReadonlyMap<string, string>): string {
  return statement.replace(TOKENS, (token: string, _tag: unknown, name?: string, type?: string) => {
    if (name === undefined || type === undefined) return token;
    const value = parameters.get(name);
    if (value === undefined) throw new ParameterFailure(`Substitution \`${name}\` is not set`);
    return type === 'Identifier' ? identifier(value) : literal(value, type);
  });
}

const identifier = (value: string) => `\`${value.replace(/[\\`]/g, '\\$&')}\``;

/** TabSeparated escapes are those of a string literal but for the quote, so the text goes in as it came. */
function literal(value: string, type: string): string {
  if (value === '\\N') return `CAST(NULL, ${quote(type)})`;
  return `CAST(${quote(value)}, ${quote(type)})`;
}

/** Inside quotes: a quote is escaped; a backslash at the very end too, lest it eat the closing quote. */
function quote(text: string): string {
  let out = '';
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at]!;
    if (character === '\\') {
      const escaped = text[at + 1];
      out += escaped === undefined ? '\\\\' : `\\${escaped}`;
      at += 1;
    } else out += character === "'" ? "\\'" : character;
  }
  return `'${out}'`;
}
