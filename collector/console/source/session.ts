// Whether the session is over, for the whole page: any answer may say so.

import { useSyncExternalStore } from 'react';

let over = false;
const listeners = new Set<() => void>();

export function endSession(): void {
  over = true;
  for (const tell of listeners) tell();
}

export const useSessionOver = (): boolean =>
  useSyncExternalStore(
    (tell) => {
      listeners.add(tell);
      return () => listeners.delete(tell);
    },
    () => over,
  );
