// What stands there without a session: how to get one.

import type { ReactNode } from 'react';

export function SignedOut({ linkOver }: { readonly linkOver: boolean }): ReactNode {
  return (
    <main className="signed-out">
      <h1>Outrider</h1>
      <p>
        {linkOver
          ? 'That link is over: it opens one browser, once, within ten minutes.'
          : 'You are not signed in, or your session is over.'}
      </p>
      <p>Where the collector’s data directory is, a fresh link is one command away:</p>
      <pre>
        <code>outrider console</code>
      </pre>
    </main>
  );
}
