// What Grafana does to a query before it is sent: variables, and the macros of Prometheus and of the ClickHouse data source
// (its documentation's table of macros). An unknown one is left standing, so that the query fails where it is used.

export interface Picked {
  readonly fromMs: number;
  readonly toMs: number;
  readonly stepSeconds: number;
  /** Variable → picked values; none means All. */
  readonly variables: Readonly<Record<string, readonly string[]>>;
}

export function expandPromql(expr: string, { stepSeconds, variables }: Picked): string {
  return Object.entries(variables).reduce(
    (text, [name, values]) =>
      text.replaceAll(`$${name}`, values.length === 0 ? '.*' : `(${values.join('|')})`),
    expr.replaceAll('$__rate_interval', `${4 * stepSeconds}s`).replaceAll('$__interval', `${stepSeconds}s`),
  );
}

export function expandSql(sql: string, picked: Picked): string {
  const from = `toDateTime(${Math.floor(picked.fromMs / 1000)})`;
  const to = `toDateTime(${Math.ceil(picked.toMs / 1000)})`;
  const conditional = calls(sql, '$__conditionalAll', ([condition, variable]) =>
    (picked.variables[variable!.slice(1)] ?? []).length === 0 ? '1=1' : condition!,
  );
  const filtered = calls(
    conditional,
    '$__timeFilter',
    ([column]) => `${column} >= ${from} AND ${column} <= ${to}`,
  );
  const stepped = calls(
    filtered,
    '$__timeInterval',
    ([column]) => `toStartOfInterval(toDateTime(${column}), INTERVAL ${picked.stepSeconds} second)`,
  );
  const timed = stepped
    .replaceAll('$__fromTime', from)
    .replaceAll('$__toTime', to)
    .replaceAll('$__interval_s', String(picked.stepSeconds));
  return Object.entries(picked.variables).reduce(
    (text, [name, values]) =>
      text.replaceAll(`\${${name}:singlequote}`, values.map((value) => `'${value}'`).join(',')),
    timed,
  );
}

/** Replaces each `macro(argument, …)`; an argument may hold brackets and commas within them. */
function calls(text: string, macro: string, replace: (args: readonly string[]) => string): string {
  const at = text.indexOf(`${macro}(`);
  if (at < 0) return text;
  const args: string[] = [''];
  let depth = 1;
  let end = at + macro.length + 1;
  for (; depth > 0 && end < text.length; end++) {
    const character = text[end]!;
    if (character === '(') depth += 1;
    if (character === ')') depth -= 1;
    if (depth === 1 && character === ',') args.push('');
    else if (depth > 0) args[args.length - 1] += character;
  }
  const replaced = replace(args.map((argument) => argument.trim()));
  return text.slice(0, at) + replaced + calls(text.slice(end), macro, replace);
}
