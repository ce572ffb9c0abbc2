// The page's frame: who it is, where one can go, whether it is live; and the page that the address names.

import { type ReactNode, useEffect, useRef } from 'react';
import { useListKeys } from './keys.ts';
import { LiveProvider } from './live.tsx';
import { AgentPage } from './pages/agent.tsx';
import { CallsPage } from './pages/calls.tsx';
import { FleetPage } from './pages/fleet.tsx';
import { SignedOut } from './pages/signed-out.tsx';
import { TracePage } from './pages/trace.tsx';
import { Header } from './parts/header.tsx';
import { Nothing } from './parts/states.tsx';
import { type Route, useRoute } from './route.ts';
import { useSessionOver } from './session.ts';

export function App(): ReactNode {
  const over = useSessionOver();
  const route = useRoute();
  return over ? (
    <SignedOut linkOver={route.path[0] === 'link-over'} />
  ) : (
    <LiveProvider>
      <Signed route={route} />
    </LiveProvider>
  );
}

function Signed({ route }: { readonly route: Route }): ReactNode {
  const main = useRef<HTMLElement>(null);
  const place = route.path.join('/');
  useListKeys();
  const before = useRef(place);
  // Another place is read from its top; the first one is where the browser put it.
  useEffect(() => {
    if (before.current === place) return;
    before.current = place;
    window.scrollTo(0, 0);
    main.current?.focus({ preventScroll: true });
  }, [place]);
  return (
    <>
      <button type="button" className="skip" onClick={() => main.current?.focus()}>
        Skip to the page
      </button>
      <Header route={route} />
      <main ref={main} id="main" tabIndex={-1}>
        <Page route={route} />
      </main>
    </>
  );
}

function Page({ route }: { readonly route: Route }): ReactNode {
  const [page, subject] = route.path;
  if (page === undefined || page === 'link-over') return <FleetPage query={route.query} />;
  if (page === 'calls') return <CallsPage query={route.query} />;
  if (page === 'agents' && subject) return <AgentPage key={subject} agent={subject} query={route.query} />;
  if (page === 'trace' && subject)
    return <TracePage key={subject} trace={subject} chosen={route.query.get('span') ?? ''} />;
  return <Nothing title="There is no such page">The address names nothing the console knows.</Nothing>;
}
