import { mkdtempSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Refusal } from '../../../contract/refusals.ts';
import { systemClock } from '../../../kit/clock.ts';
import { silentLog } from '../../../kit/log.ts';
import { type JournalOptions, openJournal } from '../../../sidecar/edges/journal.ts';
import { FRAME_KINDS } from '../../../sidecar/edges/journal-frames.ts';

function options(more: Partial<JournalOptions> = {}): JournalOptions {
  return {
    directory: mkdtempSync(join(tmpdir(), 'journal-')),
    sizeBytesMax: 1 << 30,
    clock: systemClock,
    log: silentLog,
    snapshot: () => Buffer.from('snapshot'),
    ...more,
  };
}

const texts = (frames: readonly { payload: Buffer }[]): string[] =>
  frames.map(({ payload }) => payload.toString());

describe('the journal', () => {
  it('gives back what was appended, in order, after a reopening', async () => {
    const where = options();
    const { journal } = openJournal(where);
    for (const text of ['one', 'two', 'three']) await journal.append(FRAME_KINDS.decision, Buffer.from(text));
    await journal.close();
    expect(texts(openJournal(where).recovered)).toEqual(['one', 'two', 'three']);
  });

  it('BUD-23: cuts a torn tail at every byte, and goes on behind the last whole frame', async () => {
    const where = options();
    const { journal } = openJournal(where);
    await journal.append(FRAME_KINDS.end, Buffer.from('whole'));
    const { offset } = journal.tail;
    await journal.append(FRAME_KINDS.end, Buffer.from('torn'));
    await journal.close();
    const path = join(where.directory, readdirSync(where.directory)[0]!);
    const bytes = readFileSync(path);
    for (let cut = offset; cut < bytes.length; cut++) {
      writeFileSync(path, bytes.subarray(0, cut));
      const again = openJournal(where);
      expect(texts(again.recovered)).toEqual(['whole']);
      expect(again.journal.tail.offset).toBe(offset);
      await again.journal.append(FRAME_KINDS.end, Buffer.from('next'));
      await again.journal.close();
      expect(texts(openJournal(where).recovered)).toEqual(['whole', 'next']);
      truncateSync(path, offset);
    }
  });

  it('BUD-23: does not believe a frame with a flipped bit', async () => {
    const where = options();
    const { journal } = openJournal(where);
    await journal.append(FRAME_KINDS.end, Buffer.from('first'));
    await journal.append(FRAME_KINDS.end, Buffer.from('second'));
    await journal.close();
    const path = join(where.directory, readdirSync(where.directory)[0]!);
    const bytes = readFileSync(path);
    bytes[bytes.length - 1]! ^= 1;
    writeFileSync(path, bytes);
    expect(texts(openJournal(where).recovered)).toEqual(['first']);
  });

  it('begins a segment with a snapshot that is longer than a segment, and goes on in it', async () => {
    const snapshot = () => Buffer.alloc(200, 's');
    const { journal } = openJournal(options({ segmentBytesMax: 64, snapshot }));
    for (let i = 0; i < 5; i++) await journal.append(FRAME_KINDS.end, Buffer.alloc(30));
    const kinds = journal.read({ segment: 0, offset: 0 }, 10_000).map(({ kind }) => kind);
    expect(kinds).toEqual([FRAME_KINDS.end, FRAME_KINDS.end]);
    expect(journal.tail.segment).toBe(2);
    await journal.close();
  });

  it('begins a new segment with a snapshot and deletes old ones once they are acknowledged', async () => {
    const where = options({ segmentBytesMax: 64 });
    const { journal } = openJournal(where);
    for (let i = 0; i < 20; i++)
      await journal.append(FRAME_KINDS.end, Buffer.from(`frame ${i} ${'x'.repeat(20)}`));
    expect(readdirSync(where.directory).length).toBeGreaterThan(5);
    const all = [];
    for (let from = { segment: 0, offset: 0 }; ; ) {
      const frames = journal.read(from, 100);
      if (frames.length === 0) break;
      all.push(...frames);
      from = { segment: frames.at(-1)!.segment, offset: frames.at(-1)!.end };
    }
    expect(all.filter(({ kind }) => kind === FRAME_KINDS.end)).toHaveLength(20);
    expect(texts(all.filter(({ kind }) => kind === FRAME_KINDS.snapshot))[0]).toBe('snapshot');
    journal.forget(journal.tail);
    expect(readdirSync(where.directory)).toHaveLength(1);
    await journal.close();
  });

  it('BUD-24: refuses with audit_unavailable when it has reached its size', async () => {
    const { journal } = openJournal(options({ sizeBytesMax: 100 }));
    await journal.append(FRAME_KINDS.end, Buffer.alloc(60));
    try {
      await journal.append(FRAME_KINDS.end, Buffer.alloc(60));
      expect.unreachable();
    } catch (failure) {
      expect(failure).toBeInstanceOf(Refusal);
      expect((failure as Refusal).code).toBe('audit_unavailable');
    }
  });
});
