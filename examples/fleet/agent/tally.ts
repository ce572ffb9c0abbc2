// What an agent itself saw of its calls: the agent's side of the books, kept in its own process and laid beside the
// record afterwards. It stands in `fetch`, below the SDKs, so that it counts exchanges and not wishes.

export interface Attempt {
  /** The id that the sidecar answered with; empty when no answer came. */
  readonly call: string;
  readonly task: string;
  readonly status: number;
  readonly refusal: string;
}

export interface Tally {
  readonly attempts: readonly Attempt[];
  /** Spans of the handoffs that arrived here. */
  readonly received: readonly string[];
  readonly fetch: typeof globalThis.fetch;
  arrived(span: string): void;
}

export function openTally(): Tally {
  const attempts: Attempt[] = [];
  const received: string[] = [];
  return {
    attempts,
    received,
    arrived: (span) => void received.push(span),
    async fetch(input, init) {
      const task = new Headers(init?.headers).get('x-outrider-task') ?? '';
      try {
        const response = await globalThis.fetch(input, init);
        const header = (name: string): string => response.headers.get(name) ?? '';
        attempts.push({
          call: header('x-outrider-call'),
          task,
          status: response.status,
          refusal: header('x-outrider-refusal'),
        });
        return response;
      } catch (failure) {
        attempts.push({ call: '', task, status: 0, refusal: '' });
        throw failure;
      }
    },
  };
}
