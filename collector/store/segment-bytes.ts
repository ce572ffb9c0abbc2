// What can be told of a segment by a glance at its bytes, which costs a hundredth of a load.

import { readFile } from 'node:fs/promises';
import type { MessagesKept } from '../../contract/config/config.ts';
import { MARKS_OF_BODIES } from './bodies-sql.ts';

/** Whether its spans hold messages to keep by content; one that only speaks of some is loaded as if. Throws what the disk throws. */
export async function hasBodies(path: string, messages: MessagesKept = 'by_content'): Promise<boolean> {
  if (messages !== 'by_content') return false;
  const bytes = await readFile(path);
  return MARKS_OF_BODIES.some((mark) => bytes.includes(mark));
}
