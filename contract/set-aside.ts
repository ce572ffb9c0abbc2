// Messages that the store could not take, and what a disk has damaged: they lie beside the queue until somebody looks.

/** So many are listed, the oldest first, and loaded again at once. */
export const SET_ASIDE_LISTED_MAX = 1_000;

/** GET /v1/store/quarantine */
export interface SetAsideLine {
  readonly id: string;
  /** A message can be loaded again; damage is bytes that are none, unread a file that the disk no longer gives back. */
  readonly kind: 'message' | 'damage' | 'unread';
  readonly signal: 'traces' | 'logs' | 'metrics';
  readonly bytes: number;
  /** The join token's name; empty: nobody showed one; null: no message. */
  readonly sender: string | null;
  readonly received_at: string | null;
  readonly set_aside_at: string;
  readonly reason: string;
  /** The id under which it is about to be loaded again; null while nobody asked. */
  readonly comes_as: string | null;
}

/** POST /v1/store/quarantine/load */
export interface LoadAgainOrder {
  readonly ids: readonly string[];
}

export interface LoadAgainAnswer {
  /** Among what is to be loaded, durably. */
  readonly waiting: readonly { readonly id: string; readonly comes_as: string }[];
}
