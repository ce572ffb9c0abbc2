// The places outside that the config names, each by a name of its own.

import { basename } from 'node:path';
import type { AuditAnchor } from '../contract/config/config.ts';
import { type AnchorPlace, type Anchors, startAnchors } from './audit/anchors.ts';
import { createAnchorBook } from './control/anchor-book.ts';
import type { Database } from './control/database.ts';
import { anchorByCommand } from './edges/anchor-command.ts';
import { anchorInDirectory } from './edges/anchor-directory.ts';
import type { Start } from './starting.ts';

export interface AnchorOptions extends Pick<Start, 'lifecycle' | 'clock' | 'log'> {
  readonly anchors: readonly AuditAnchor[];
  readonly database: Database;
}

export function openAnchors({ anchors, database, lifecycle, clock, log }: AnchorOptions): Anchors {
  const names = anchors.map(nameOf);
  const places = anchors.map((anchor, at) => placeOf(anchor, unlike(names, at)));
  const started = startAnchors(places, { book: createAnchorBook(database), clock, log });
  lifecycle.onStop('audit anchors', () => started.close());
  return started;
}

function placeOf(anchor: AuditAnchor, name: string): AnchorPlace {
  const { everyMs } = anchor;
  return anchor.kind === 'directory'
    ? { name, everyMs, publish: (checkpoint) => anchorInDirectory(anchor.directory, checkpoint) }
    : { name, everyMs, publish: (checkpoint, stop) => anchorByCommand(anchor.command, checkpoint, stop) };
}

/** Without a command's arguments, which may hold what nobody else should read. */
const nameOf = (anchor: AuditAnchor): string =>
  anchor.kind === 'directory'
    ? `directory ${anchor.directory}`
    : `command ${basename(anchor.command[0] ?? '')}`;

/** `command git`, `command git 2`, … in the order of the config. */
function unlike(names: readonly string[], at: number): string {
  const before = names.slice(0, at).filter((name) => name === names[at]).length;
  return before === 0 ? names[at]! : `${names[at]} ${before + 1}`;
}
