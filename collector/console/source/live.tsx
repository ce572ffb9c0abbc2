// The one stream of the page: calls as they end, and a pulse that tells sums to ask again. A stream that breaks, or says
// nothing for too long, is opened again, less and less often; the page says so meanwhile.

import { createContext, type ReactNode, useContext, useEffect, useMemo, useRef, useState } from 'react';
import type { LiveCalls } from '../../../contract/console.ts';

export type LiveState = 'connecting' | 'live' | 'lost';
type Hear = (calls: LiveCalls) => void;

interface Live {
  readonly state: LiveState;
  /** Grows when sums may have changed. */
  readonly pulse: number;
  /** Grows with each stream that was opened after the first: what happened between was not heard. */
  readonly reopened: number;
  hear(hear: Hear): () => void;
}

const PULSE_EVERY_MS = 2_000;
const SILENCE_MS_MAX = 16_000;
const RETRY_MS = [500, 1_000, 2_000, 4_000, 8_000, 15_000];

const LiveContext = createContext<Live | null>(null);

export function useLive(): Live {
  const live = useContext(LiveContext);
  if (!live) throw new Error('useLive is for what stands inside LiveProvider');
  return live;
}

export function LiveProvider({ children }: { readonly children: ReactNode }): ReactNode {
  const [state, setState] = useState<LiveState>('connecting');
  const [pulse, setPulse] = useState(0);
  const [reopened, setReopened] = useState(0);
  const listeners = useRef(new Set<Hear>());

  useEffect(
    () =>
      follow({
        onState: setState,
        onPulse: () => setPulse((count) => count + 1),
        onReopened: () => setReopened((count) => count + 1),
        onCalls(calls) {
          for (const hear of listeners.current) hear(calls);
        },
      }),
    [],
  );

  const live = useMemo<Live>(
    () => ({
      state,
      pulse,
      reopened,
      hear(hear) {
        listeners.current.add(hear);
        return () => void listeners.current.delete(hear);
      },
    }),
    [state, pulse, reopened],
  );
  return <LiveContext value={live}>{children}</LiveContext>;
}

interface Follower {
  onState(state: LiveState): void;
  onPulse(): void;
  onReopened(): void;
  onCalls(calls: LiveCalls): void;
}

/** Follows until the returned function is called. */
function follow({ onState, onPulse, onReopened, onCalls }: Follower): () => void {
  let source: EventSource | undefined;
  let attempts = 0;
  let opened = 0;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let silence: ReturnType<typeof setTimeout> | undefined;
  let pulsing: ReturnType<typeof setTimeout> | undefined;

  const pulse = () => {
    pulsing ??= setTimeout(() => {
      pulsing = undefined;
      onPulse();
    }, PULSE_EVERY_MS);
  };
  const lost = () => {
    source?.close();
    clearTimeout(silence);
    onState('lost');
    retry = setTimeout(open, RETRY_MS[Math.min(attempts, RETRY_MS.length - 1)]);
    attempts += 1;
  };
  const heard = () => {
    clearTimeout(silence);
    silence = setTimeout(lost, SILENCE_MS_MAX);
  };
  function open(): void {
    source = new EventSource('/v1/live');
    source.onerror = lost;
    source.onopen = () => {
      attempts = 0;
      opened += 1;
      onState('live');
      heard();
      if (opened === 1) return;
      onReopened();
      onPulse();
    };
    source.addEventListener('calls', ({ data }: MessageEvent<string>) => {
      heard();
      pulse();
      onCalls(JSON.parse(data) as LiveCalls);
    });
    source.addEventListener('beat', () => {
      heard();
      pulse();
    });
  }
  open();
  return () => {
    source?.close();
    for (const timer of [retry, silence, pulsing]) clearTimeout(timer);
  };
}
