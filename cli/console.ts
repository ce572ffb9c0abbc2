// `outrider console`: a link that opens the console in one browser, and the sessions that such links opened.

import { parseArgs } from 'node:util';
import { collectorClient } from './collector-client.ts';
import { EXIT, type Io, UsageError } from './command.ts';

export const help = `outrider console: a link that opens the console

Usage: outrider console [--json] [--collector URL] [--data DIR]
       outrider console sessions [--json] [--collector URL] [--data DIR]
       outrider console revoke ID [--collector URL] [--data DIR]

  sessions          who is signed in: id, whose token made the link, since when, until when
  revoke ID         end that session at once
  --json            the collector's answer as it came
  --collector URL   the control API (OUTRIDER_COLLECTOR; else http://127.0.0.1:4319)
  --data DIR        where the join token is (OUTRIDER_DATA; else ./.outrider), unless OUTRIDER_TOKEN holds it

The link is good for one browser, within ten minutes; the session it opens lasts a week.

Example: outrider console --collector http://127.0.0.1:4319
`;

interface Session {
  readonly id: string;
  readonly opened_by: string;
  readonly opened_at: string;
  readonly expires_at: string;
}

export async function run(args: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      collector: { type: 'string' },
      data: { type: 'string' },
    },
  });
  const [action, id, ...rest] = positionals;
  const takesId = action === 'revoke';
  if (rest.length > 0 || takesId !== (id !== undefined))
    throw new UsageError(
      'Write `outrider console`, `outrider console sessions` or `outrider console revoke ID`.',
    );
  const collector = collectorClient(values, io);
  const print = (answer: unknown, text: string) =>
    io.stdout(values.json ? `${JSON.stringify(answer, null, 2)}\n` : text);
  if (action === undefined) {
    const answer = await collector.post<{ path: string; expires_at: string }>('/v1/sessions');
    const link = new URL(answer.path, collector.url).href;
    print({ link, expires_at: answer.expires_at }, `${link}\n`);
  } else if (action === 'sessions') {
    const sessions = await collector.get<Session[]>('/v1/sessions');
    print(sessions, sessions.map(lineOf).join('') || 'Nobody is signed in.\n');
  } else if (takesId) {
    await collector.delete(`/v1/sessions/${encodeURIComponent(id!)}`);
    print({}, `Session ${id} is over.\n`);
  } else {
    throw new UsageError(`There is no \`outrider console ${action}\`; see --help.`);
  }
  return EXIT.done;
}

const lineOf = ({ id, opened_by, opened_at, expires_at }: Session): string =>
  `${id}  by ${opened_by}  since ${opened_at}  until ${expires_at}\n`;
