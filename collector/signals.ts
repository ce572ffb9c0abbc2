// The three things OTLP carries. A segment of the queue holds one of them, and its id says which: the id goes with the
// bytes wherever they are, so that a restart and the store can't mistake them.
//
//   000000000042-1f3a9c07            traces
//   000000000043-5be01d22-logs       logs            000000000043-5be01d22-logs.0    its first half

export const SIGNALS = ['traces', 'logs', 'metrics'] as const;
export type Signal = (typeof SIGNALS)[number];

/** What one thing of a signal is called. */
export const ITEMS: Readonly<Record<Signal, string>> = {
  traces: 'spans',
  logs: 'log records',
  metrics: 'data points',
};

/** The end of a segment's id. Traces have none, as had all segments when there were only traces. */
export const idEnding = (signal: Signal): string => (signal === 'traces' ? '' : `-${signal}`);

/** What a segment, or a part of one, holds. */
export function signalOf(segmentId: string): Signal {
  const named = /^\d+-[0-9a-f]+-(logs|metrics)(\.|$)/.exec(segmentId)?.[1];
  return named === 'logs' || named === 'metrics' ? named : 'traces';
}
