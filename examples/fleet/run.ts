// The show: articles are begun at an even pace and go round from scout to analytics, while incidents happen; then everyone's books are closed and laid side by side.

import { EventEmitter, once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { type Fleet, startFleet } from './fleet.ts';
import { INCIDENTS, type Incident } from './incidents.ts';
import { MEMBERS, taskOf } from './plan.ts';
import { letObserve } from './records.ts';

export interface ShowOptions {
  readonly articles: number;
  /** Over how long the articles are begun. */
  readonly minutes: number;
  readonly directory: string;
  readonly cli: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  progress(sentence: string): void;
  /** Told as soon as something runs that must be stopped. */
  started(stop: () => Promise<void>): void;
}

export interface Shown {
  readonly fleet: Fleet;
  readonly articles: number;
  readonly published: number;
  /** Milliseconds from the start of each article to its publication. */
  readonly toPublishedMs: readonly number[];
  /** From the first article's start to the last one's end. */
  readonly flowMs: number;
  readonly startMs: number;
}

const IN_FLIGHT_MAX = 8;
const PROGRESS_MS = 5_000;

export async function show(options: ShowOptions): Promise<Shown> {
  const { articles, progress } = options;
  const began = performance.now();
  const news = new EventEmitter();
  const fleet = await startFleet({
    ...options,
    heard: (line) => news.emit(String(line.event), line),
  });
  const startMs = performance.now() - began;
  progress(
    `${MEMBERS.length} agents, ${MEMBERS.length} sidecars and a collector are up after ${seconds(startMs)}`,
  );

  const failed = once(news, 'failed').then(([line]) => {
    const { agent, failure } = line as { agent: string; failure: string };
    throw new Error(`The agent ${agent} failed, which was not planned: ${failure}`);
  });
  const flow = flowOf(fleet, news, options);
  const ticker = setInterval(() => progress(flow.line()), PROGRESS_MS);
  try {
    await Promise.race([failed, Promise.all([flow.done, misbehave(fleet, news, flow, progress)])]);
  } finally {
    clearInterval(ticker);
  }
  progress(flow.line());
  return { fleet, articles, startMs, ...flow.figures() };
}

interface Flow {
  readonly done: Promise<void>;
  line(): string;
  figures(): Pick<Shown, 'published' | 'toPublishedMs' | 'flowMs'>;
}

function flowOf(fleet: Fleet, news: EventEmitter, { articles, minutes }: ShowOptions): Flow {
  const begunAt = new Map<number, number>();
  const toPublishedMs: number[] = [];
  const startedAt = performance.now();
  let finished = 0;
  news.on('published', ({ article }: { article: number }) => {
    toPublishedMs.push(performance.now() - (begunAt.get(article) ?? Number.NaN));
  });
  news.on('finished', () => {
    finished += 1;
    news.emit('room');
  });
  const gapMs = (minutes * 60_000) / articles;

  const run = async (): Promise<void> => {
    for (let article = 1; article <= articles; article++) {
      while (begunAt.size - finished >= IN_FLIGHT_MAX) await once(news, 'room');
      const early = startedAt + (article - 1) * gapMs - performance.now();
      if (early > 0) await pause(early);
      begunAt.set(article, performance.now());
      await fleet.tell('scout', '/jobs', {
        article,
        caller: '',
        depth: 0,
        material: taskOf(article),
        reworked: false,
        waits: false,
      });
    }
    while (finished < articles) await once(news, 'room');
  };

  return {
    done: run(),
    line: () => {
      const dollars = (Number(fleet.bill.total()) / 1e9).toFixed(2);
      return `articles ${finished} of ${articles}, ${fleet.bill.served.length} calls answered by providers, $${dollars} billed`;
    },
    figures: () => ({
      published: toPublishedMs.length,
      toPublishedMs,
      flowMs: performance.now() - startedAt,
    }),
  };
}

/** Most once the first article is out, each agent between two of its jobs; the others after the last article. */
async function misbehave(
  fleet: Fleet,
  news: EventEmitter,
  flow: Flow,
  progress: ShowOptions['progress'],
): Promise<void> {
  const happen = async ({ name, agent, what }: Incident): Promise<void> => {
    progress(`incident ${name}: ${agent}, ${what}`);
    if (name === 'mode-switched') await letObserve(fleet, agent, 'it is to try a dearer model');
    await fleet.tell(agent, `/incidents/${name}`);
  };
  const incidents: readonly Incident[] = INCIDENTS;
  await once(news, 'finished');
  await Promise.all([crash(fleet), ...incidents.filter(({ last }) => !last).map(happen)]);
  await flow.done;
  await Promise.all(incidents.filter(({ last }) => last).map(happen));
}

async function crash(fleet: Fleet): Promise<void> {
  const { agent } = INCIDENTS.find(({ name }) => name === 'crash')!;
  await fleet.models.silent;
  await fleet.killSidecar(agent);
  await fleet.startSidecar(agent);
}

export const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
