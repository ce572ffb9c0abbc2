// What a day was like, once a day at the hour its definition names: a few tables of text for whoever reads in the morning.

import type { Page } from '../../contract/alert.ts';
import type { Config } from '../../contract/config/config.ts';
import { latestTimeOfDay } from '../../contract/windows.ts';
import { sentenceOf } from '../../kit/log.ts';
import { table } from '../../kit/table.ts';
import type { Book } from './book.ts';
import { channelsFor } from './channels.ts';
import type { DigestDefinition } from './definition.ts';
import type { Ask } from './evaluate.ts';
import { type Row, textOf } from './finding.ts';
import { dedupKey, type Scene } from './page.ts';

export interface DigestOptions {
  config(): Config;
  readonly scene: Scene;
  readonly pace: number;
  readonly book: Book;
  readonly ask: Ask;
}

const DAY_MS = 86_400_000;

/** Puts the digest into the outbox if its hour has come since the last one. True when it did. */
export async function digestIfDue(
  definition: DigestDefinition,
  { config, scene, pace, book, ask }: DigestOptions,
  nowMs: number,
): Promise<boolean> {
  const name = `digest/${definition.id}`;
  const last = await book.markedAt(name);
  if (last === null) {
    await book.mark(name, nowMs);
    return false;
  }
  const dueMs = pace === 1 ? latestHour(definition.at, config().timezone, nowMs) : nowMs - DAY_MS / pace;
  if (last >= dueMs) return false;
  const channels = channelsFor(config(), 'info', '');
  if (channels.length === 0) return false;
  const details: Record<string, string> = {};
  for (const { title, sql } of definition.sections) {
    details[title] = await sectionOf(sql, ask, Math.round(nowMs - definition.window / pace));
  }
  const page = pageOf(definition, details, scene, nowMs);
  const sends = channels.map((channel) => ({ channel, page }));
  return (await book.enqueue(sends, nowMs, { name, markedMs: dueMs })).length > 0;
}

/** When it was last this hour, `08:00`, in the zone. */
export function latestHour(at: string, timezone: string, nowMs: number): number {
  const [hours = 0, minutes = 0] = at.split(':').map(Number);
  return latestTimeOfDay((hours * 60 + minutes) * 60_000, timezone, nowMs);
}

async function sectionOf(sql: string, ask: Ask, since: number): Promise<string> {
  try {
    return tableOf(await ask(sql, { since }));
  } catch (failure) {
    return `could not be asked: ${sentenceOf(failure)}`;
  }
}

function tableOf(rows: readonly Row[]): string {
  const [first] = rows;
  if (!first) return 'nothing';
  const columns = Object.keys(first);
  return table([columns, ...rows.map((row) => columns.map((column) => textOf(row[column])))]).trimEnd();
}

function pageOf(
  { id, question }: DigestDefinition,
  details: Readonly<Record<string, string>>,
  { fleet, consoleUrl }: Scene,
  nowMs: number,
): Page {
  const day = new Date(nowMs).toISOString();
  return {
    action: 'digest',
    dedup_key: dedupKey(fleet, id, day),
    fleet,
    alert: id,
    severity: 'info',
    key: day.slice(0, 10),
    agent: '',
    task: '',
    owner: '',
    rule: '',
    spend: '',
    question,
    summary: `digest of the day until ${day.slice(0, 16).replace('T', ' ')} UTC`,
    value: '',
    details,
    link: `${consoleUrl}/#/`,
    next: 'outrider alerts list',
    fired_at: day,
  };
}
