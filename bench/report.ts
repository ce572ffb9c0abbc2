// A row of the benchmark's table: what was measured, and the bar it is held to where there is one.

export interface Row {
  readonly what: string;
  readonly measured: string;
  readonly must: string;
  readonly aim: string;
  /** Null where there is no bar. */
  readonly met: boolean | null;
}

export function row(what: string, measured: string, bar?: { must: string; aim: string; met: boolean }): Row {
  return { what, measured, must: bar?.must ?? '', aim: bar?.aim ?? '', met: bar?.met ?? null };
}

export function printRows(rows: readonly Row[]): string {
  const lines = rows.map(({ what, measured, must, aim, met }) => {
    const mark = met === null ? '' : met ? 'met' : 'NOT MET';
    return `| ${what} | ${measured} | ${must} | ${aim} | ${mark} |`;
  });
  return ['| | measured | must | aim | |', '| --- | --- | --- | --- | --- |', ...lines].join('\n');
}
