// Who goes first where statements wait for the control database. A person who stops an agent must not stand behind what a
// whole fleet says of itself when it starts, and nor must a call that waits for money. Within a lane: in order.
//
//   order    a person's decision: quarantine, mode, raise, revoked token
//   money    what a call waits for: leases, holds
//   rest     everything else: heartbeats, policies, alerts, what is listed
//
// Each lane overtakes those below it without end, so the upper ones may only hold what is few, or waits for its own answer.

export const LANES = ['order', 'money', 'rest'] as const;
export type Lane = (typeof LANES)[number];

export interface Lanes<T> {
  put(lane: Lane, item: T): void;
  /** The one whose turn it is. */
  take(): T | undefined;
  size(): number;
}

/** Statements that may wait; beyond, only orders still find room. */
const WAITING_MAX = 10_000;
const ORDERS_MAX = 1_000;

export const hasRoom = (lane: Lane, waiting: number): boolean =>
  waiting < (lane === 'order' ? WAITING_MAX + ORDERS_MAX : WAITING_MAX);

export function createLanes<T>(): Lanes<T> {
  const lanes: Readonly<Record<Lane, T[]>> = { order: [], money: [], rest: [] };
  return {
    put: (lane, item) => void lanes[lane].push(item),
    take() {
      for (const lane of LANES) if (lanes[lane].length > 0) return lanes[lane].shift();
      return undefined;
    },
    size: () => LANES.reduce((sum, lane) => sum + lanes[lane].length, 0),
  };
}
