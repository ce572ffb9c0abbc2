// SQL literals, for the few places where a value must stand in the statement itself.

const ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  "'": "\\'",
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\0': '\\0',
};

/** A single-quoted ClickHouse string literal. */
export function quoted(text: string): string {
  return `'${text.replace(/[\\'\n\r\t\0]/g, (character) => ESCAPES[character]!)}'`;
}
