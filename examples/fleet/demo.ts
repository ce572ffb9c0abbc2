// From the first process to the last line of the summary, and everything torn down whatever happens in between.

import { resolve } from 'node:path';
import { EXIT, type Io } from '../../cli/command.ts';
import { findingsOf, gather } from './findings.ts';
import { type Shown, show } from './run.ts';
import { figuresOf, summaryText } from './summary.ts';

export interface DemoOptions {
  readonly articles: number;
  readonly minutes: number;
  readonly directory: string;
  readonly cli: string;
  readonly keep: boolean;
  readonly json: boolean;
  /** Resolves when someone wants it to end. */
  readonly interrupted: Promise<unknown>;
  readonly io: Io;
}

const INTERRUPTED = 130;

/** Answers the exit code: 0 when the record is true in every line. */
export async function demo(options: DemoOptions): Promise<number> {
  const { io } = options;
  const directory = resolve(options.directory);
  const began = performance.now();
  const progress = (sentence: string): void =>
    io.stderr(`${String(Math.round((performance.now() - began) / 1_000)).padStart(4)} s  ${sentence}\n`);
  let stop: () => Promise<void> = async () => undefined;
  const interrupted = options.interrupted.then(() => null);
  try {
    const work = show({
      ...options,
      directory,
      env: io.env,
      progress,
      started: (stopping) => (stop = stopping),
    });
    const shown = await Promise.race([work, interrupted]);
    if (!shown) return INTERRUPTED;
    progress('closing the books');
    const same = await close(shown, options);
    progress(`done; everything is in ${directory}`);
    if (options.keep) await keep(shown, io, interrupted);
    return same ? EXIT.done : EXIT.failed;
  } finally {
    await stop();
  }
}

async function close(shown: Shown, { json, io }: DemoOptions): Promise<boolean> {
  const evidence = await gather(shown);
  const [figures, findings] = [figuresOf(evidence), await findingsOf(evidence)];
  const { listen } = shown.fleet.collector;
  io.stdout(
    json
      ? `${JSON.stringify({ event: 'summary', figures, findings, listen, config: shown.fleet.config, data: shown.fleet.data })}\n`
      : summaryText(figures, findings),
  );
  return findings.every(({ ok }) => ok);
}

async function keep({ fleet }: Shown, io: Io, interrupted: Promise<null>): Promise<void> {
  await fleet.stopAgents();
  const { sql, control } = fleet.collector.listen;
  io.stderr(
    [
      'The collector stays up until Ctrl-C.',
      `  SQL       curl '${sql}/?default_format=PrettyCompact' -d 'SELECT agent_id, count(), sum(cost_usd) FROM actions GROUP BY agent_id'`,
      `  control   ${control} (join token in ${fleet.data}/token)`,
      `  console   outrider console --collector ${control} --data ${fleet.data}   (prints a one-time link)`,
      `  alerts    outrider alerts list --collector ${control} --data ${fleet.data}`,
      `  budgets   outrider budgets --collector ${control} --data ${fleet.data}`,
      '',
    ].join('\n'),
  );
  await interrupted;
}
