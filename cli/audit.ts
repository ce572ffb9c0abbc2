// `outrider audit`: the log of what was accepted, for whoever has to be convinced by somebody else's records.

import { type Command, type Io, UsageError } from './command.ts';

export const help = `outrider audit: prove what the fleet did, and that nothing was changed since

Usage: outrider audit verify DIR --key VKEY|FILE [--anchors DIR]... [--against FILE|DIR]... [--accept-unlogged] [--json]
       outrider audit export DIR [--since TIME] [--until TIME] [--collector URL] [--data DIR] [--json]
       outrider audit status [--collector URL] [--data DIR] [--json]
       outrider audit proof RECEIPT [--at TIME] [--collector URL] [--data DIR]

  verify DIR          an exported directory, held to a public key; asks no store and no network. Exit 0: it holds.
                      Exit 1: the first line names what was altered, deleted, inserted, reordered, truncated or forked
  --key               the log's public key as it was given to you, or a file with one or more of them; not the one in
                      DIR, which whoever changed DIR could have changed too
  --against           a checkpoint you kept, or a folder of them or an older export: the log must begin with each
  --anchors           a directory of audit.anchors, where you keep it: the log must have checkpoints there, and begin with
                      each of them
  --accept-unlogged   count records that no request in the log brought (of an older release) instead of refusing them
  export DIR          what verify reads, into a folder that is not there yet. The collector may run (it is asked) or not (its
                      data directory is opened here)
  --since, --until    only records that came to the collector in that time; without them all that are kept
  proof RECEIPT       that the log holds a request, by what its sender was answered (x-outrider-receipt): a C2SP tlog-proof
  --at                about when it was sent: needed for what is older than a million requests
  status              how far the log is, what waits for it, and how far each place outside has its checkpoints
  --collector, --data the collector asked, and its data directory, which holds the token
  --json              the result as JSON; of verify with every finding

Example: outrider audit export ./export && outrider audit verify ./export --key ./outrider.vkey --anchors /worm
`;

const ACTIONS: Readonly<Record<string, () => Promise<Pick<Command, 'run'>>>> = {
  verify: () => import('./audit/verify.ts'),
  export: () => import('./audit/export.ts'),
  status: () => import('./audit/status.ts'),
  proof: () => import('./audit/proof.ts'),
};

export async function run(args: readonly string[], io: Io): Promise<number> {
  const [name = '', ...rest] = args;
  const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
  if (!action)
    throw new UsageError(`Write \`outrider audit ${Object.keys(ACTIONS).join('|')}\`; see --help.`);
  return (await action()).run(rest, io);
}
