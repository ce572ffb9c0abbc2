// `outrider demo`: a fleet of twenty agents, live, on fake providers; and whether the record of it is true.

import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Io, UsageError } from './command.ts';
import { stopSignal } from './process.ts';

export const help = `outrider demo: a fleet of twenty agents, live, on fake providers

Usage: outrider demo [--articles N] [--minutes M] [--data DIR] [--keep] [--json]

  --articles N   how many articles the fleet makes (72: a month's)
  --minutes M    over how long they are begun (2)
  --data DIR     a new folder for everything (else one in ./.outrider)
  --keep         leave the collector up afterwards, until Ctrl-C, to look around
  --json         the summary as JSON

Twenty agents with the official SDKs, each behind a sidecar of its own, one collector; no key, no network beyond this
machine. Things go wrong on purpose. The summary holds the record against what agents and providers saw; exit code 1
when a line differs.

Example: outrider demo --articles 12 --keep
`;

const MINUTES_DEFAULT = 2;
const ARTICLES_DEFAULT = 72;

export async function run(args: readonly string[], io: Io): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      articles: { type: 'string', default: String(ARTICLES_DEFAULT) },
      minutes: { type: 'string' },
      data: { type: 'string' },
      keep: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  });
  const articles = numberOf('--articles', values.articles, 1, 1_000);
  const minutes = numberOf(
    '--minutes',
    values.minutes ?? String((MINUTES_DEFAULT * articles) / ARTICLES_DEFAULT),
    0,
    60,
  );
  const { demo } = await parts();
  const signal = stopSignal();
  return demo({
    articles,
    minutes,
    directory:
      values.data ?? join('.outrider', `demo-${new Date().toISOString().replace(/\D/g, '').slice(0, 14)}`),
    cli: process.argv[1]!,
    keep: values.keep,
    json: values.json,
    interrupted: signal,
    io,
  });
}

function numberOf(flag: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= least && value <= most) return value;
  throw new UsageError(`${flag} is a number from ${least} to ${most}, not ${text}.`);
}

/** The fleet is an example, and its SDKs are no dependencies of ours. */
async function parts(): Promise<typeof import('../examples/fleet/demo.ts')> {
  try {
    await Promise.all([import('openai'), import('@anthropic-ai/sdk')]);
    return await import('../examples/fleet/demo.ts');
  } catch (failure) {
    if (!(failure instanceof Error && 'code' in failure && failure.code === 'ERR_MODULE_NOT_FOUND'))
      throw failure;
    throw new Error('The demo needs the SDKs its agents use: npm install openai @anthropic-ai/sdk.', {
      cause: failure,
    });
  }
}
