// Keys for those who keep their hands on them: / for the filter, j and k or the arrows through a list, Escape back.

import { useEffect } from 'react';

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && target.closest('input, select, textarea, dialog') !== null;

/** Calls for a key pressed outside of any field, without a modifier. */
export function useKeys(onKey: (event: KeyboardEvent) => void): void {
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      onKey(event);
    };
    window.addEventListener('keydown', listen);
    return () => window.removeEventListener('keydown', listen);
  });
}

const STEP: Readonly<Record<string, number>> = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 };

/** j, k and the arrows move through every `[data-row]` of the page, in the order they stand. */
export function useListKeys(): void {
  useKeys((event) => {
    const step = STEP[event.key];
    if (step === undefined) return;
    const rows = [...document.querySelectorAll<HTMLElement>('[data-row]')];
    const at = rows.indexOf(document.activeElement as HTMLElement);
    const isArrow = event.key.startsWith('Arrow');
    // Without a row in focus the arrows scroll, as everywhere.
    if (rows.length === 0 || (at < 0 && isArrow)) return;
    event.preventDefault();
    const next = rows[at < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, at + step))];
    next?.focus();
    next?.scrollIntoView({ block: 'nearest' });
  });
}
