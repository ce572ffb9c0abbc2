// Reads Prometheus' text format, for tests that look at what a process shows.

/** The value of one series, named as it stands in the text: `name` or `name{label="value",…}`; undefined when not there. */
export function seriesValue(text: string, series: string): number | undefined {
  const line = text.split('\n').find((each) => each.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}

/** The names of the families that have a sample. */
export function familiesIn(text: string): string[] {
  return [...text.matchAll(/^# TYPE (\S+) /gm)].map((match) => match[1]!);
}
