// The line at the top of every page.

import { type ReactNode, useState } from 'react';
import { ask } from '../ask.ts';
import { type LiveState, useLive } from '../live.tsx';
import { callsHref, href, type Route } from '../route.ts';
import { endSession } from '../session.ts';
import { chooseTheme, chosenTheme, THEMES } from '../theme.ts';

export function Header({ route }: { readonly route: Route }): ReactNode {
  const [page] = route.path;
  const here = page === 'calls' || page === 'trace' ? 'calls' : 'fleet';
  return (
    <header className="top">
      <a className="wordmark" href={href([])}>
        <Mark />
        Outrider
      </a>
      <nav aria-label="Pages">
        <a href={href([])} aria-current={here === 'fleet' ? 'page' : undefined}>
          Fleet
        </a>
        <a href={callsHref({})} aria-current={here === 'calls' ? 'page' : undefined}>
          Calls
        </a>
      </nav>
      <div className="top-end">
        <LiveMark />
        <ThemeButton />
        <button type="button" className="quiet" onClick={() => void signOut()}>
          Sign out
        </button>
      </div>
    </header>
  );
}

function Mark(): ReactNode {
  return (
    <svg viewBox="0 0 16 16" aria-hidden="true">
      <circle cx="6" cy="8" r="4.25" fill="none" strokeWidth="1.75" />
      <circle cx="13" cy="8" r="2" />
    </svg>
  );
}

const LIVE_WORDS: Readonly<Record<LiveState, string>> = {
  connecting: 'Connecting',
  live: 'Live',
  lost: 'Reconnecting',
};

function LiveMark(): ReactNode {
  const { state } = useLive();
  return (
    <span className="live" data-state={state} role="status">
      <span aria-hidden="true" className="live-dot" />
      {LIVE_WORDS[state]}
    </span>
  );
}

function ThemeButton(): ReactNode {
  const [theme, setTheme] = useState(chosenTheme);
  const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length]!;
  const choose = () => {
    chooseTheme(next);
    setTheme(next);
  };
  return (
    <button type="button" className="quiet theme" onClick={choose} title={`Change to ${next}`}>
      <span className="theme-word">Theme: </span>
      {theme}
    </button>
  );
}

async function signOut(): Promise<void> {
  // Signed out here in any case; a session that could not be ended there runs out by itself.
  await ask('/v1/sessions/current', 'DELETE').catch(() => undefined);
  endSession();
}
