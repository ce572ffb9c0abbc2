import { describe, expect, it } from 'vitest';
import { walkFraming } from '../../collector/receive/framing.ts';
import { parseChainRanges } from '../../contract/chain-ranges.ts';
import { NOTHING } from '../../contract/money.ts';
import { systemClock } from '../../kit/clock.ts';
import { silentLog } from '../../kit/log.ts';
import { type Book, openBook, spansOf } from '../../sidecar/book.ts';
import { headerOf } from '../../sidecar/book-frames.ts';
import { openJournal } from '../../sidecar/edges/journal.ts';
import { FRAME_KINDS, type Frame, type Position } from '../../sidecar/edges/journal-frames.ts';
import { temporaryDirectory } from '../support/processes.ts';
import { exampleRecord } from './example-record.ts';

const HOLD = { nanodollars: 1_000n, tokens: 10n };
const LEASE = {
  scope: 'agent' as const,
  agent: 'scout',
  task: '',
  lease: 'lease-1',
  nonce: 'nonce-1',
  epoch: 1,
  seq: 1,
  granted: { nanodollars: '100000', tokens: '0' },
  unlimited: { nanodollars: false, tokens: true },
  posted: { nanodollars: '0', tokens: '0' },
  expiresAtMs: 2e12,
};

function open(directory: string, segmentBytesMax?: number, newStream = () => 'scout/host/1') {
  return openBook(
    (snapshot) =>
      openJournal({
        directory,
        sizeBytesMax: 1 << 30,
        ...(segmentBytesMax ? { segmentBytesMax } : {}),
        clock: systemClock,
        log: silentLog,
        snapshot,
      }),
    {
      strict: false,
      newStream,
      endedElsewhere: [],
      ended: () => undefined,
      lost: (failure) => expect.fail(String(failure)),
      later: () => expect.fail('there is room'),
    },
  );
}

/** A journal with room for little, and what it does when it is tried again. */
function openSmall(sizeBytesMax: number) {
  const directory = temporaryDirectory('book');
  const again: (() => void)[] = [];
  const opened = openBook(
    (snapshot) => openJournal({ directory, sizeBytesMax, clock: systemClock, log: silentLog, snapshot }),
    {
      strict: false,
      newStream: () => 'scout/host/1',
      endedElsewhere: [],
      ended: () => undefined,
      lost: () => undefined,
      later: (call) => void again.push(call),
    },
  );
  return { directory, again, ...opened };
}

describe('a book whose journal is full', () => {
  const refuse = (book: Book, callId: string) =>
    book.end(exampleRecord({ callId }), { decided: false, leases: [], used: NOTHING });

  /** Decides calls until there is no room for one more; answers which. */
  async function fill(book: Book): Promise<string[]> {
    const decided: string[] = [];
    for (;;) {
      const callId = `call-${decided.length}`;
      try {
        await book.decide(exampleRecord({ callId }), ['lease-1'], HOLD);
      } catch {
        return decided;
      }
      decided.push(callId);
    }
  }

  it('bounds what waits, keeps the end of every decided call, and writes all of it when there is room', async () => {
    const { book, journal, again, directory } = openSmall(256 * 1024);
    book.lease(LEASE);
    const decided = await fill(book);
    for (let i = 0; i < 5_000; i++) refuse(book, `refused-${i}`);
    const used = { nanodollars: 400n, tokens: 4n };
    for (const callId of decided)
      book.end(exampleRecord({ callId }), { decided: true, leases: ['lease-1'], used });
    expect(book.unrecorded).toBeGreaterThan(3_900);
    expect(again.length).toBe(1);

    const shipped: Frame[] = [];
    let from: Position = { segment: 0, offset: 0 };
    const ship = () => {
      for (let run = journal.read(from, 1 << 20); run.length > 0; run = journal.read(from, 1 << 20)) {
        shipped.push(...run.filter(({ kind }) => kind === FRAME_KINDS.end));
        from = { segment: run.at(-1)!.segment, offset: run.at(-1)!.end };
      }
      journal.forget(journal.tail);
    };
    ship();
    for (let next = again.shift(); next; next = again.shift()) {
      next();
      journal.flush();
      ship();
    }
    const [text] = walkFraming('traces', spansOf(shipped, { 'service.name': 'test' })!).chains;
    expect(parseChainRanges(text!)).toMatchObject([
      { stream: 'scout/host/1', first: 0, last: 5_000 - book.unrecorded + decided.length - 1 },
    ]);
    const calls = new Set(shipped.map(({ payload }) => headerOf(payload).call));
    expect(decided.filter((callId) => !calls.has(callId))).toEqual([]);

    const { recovered } = open(directory);
    expect([...recovered.open.keys()]).toEqual([]);
    expect(recovered.leases.get('lease-1')?.posted).toEqual({
      nanodollars: String(400 * decided.length),
      tokens: String(4 * decided.length),
    });
  });

  it('begins a segment before the links that wait: a start that never sees them leaves no gap', async () => {
    const { book, journal, directory } = openSmall(256 * 1024);
    refuse(book, 'written');
    journal.flush();
    const decided: Promise<void>[] = [];
    expect(() => {
      for (let i = 0; ; i++) decided.push(book.decide(exampleRecord({ callId: `call-${i}` }), [], NOTHING));
    }).toThrow(/reached its size/);
    refuse(book, 'waits');
    journal.flush();
    await Promise.all(decided);
    expect(journal.tail.segment).toBeGreaterThan(0);

    const { recovered } = open(directory);
    expect(recovered.seq).toBe(1);
    expect(recovered.open.size).toBe(decided.length);
  });
});

describe('the book after a crash', () => {
  it('knows the calls without an end, what their leases had posted, and where its chain goes on', async () => {
    const directory = temporaryDirectory('book');
    const first = open(directory);
    first.book.lease(LEASE);
    await first.book.decide(exampleRecord({ callId: 'ended' }), ['lease-1'], HOLD);
    await first.book.decide(exampleRecord({ callId: 'open' }), ['lease-1'], HOLD);
    first.book.end(exampleRecord({ callId: 'ended' }), {
      decided: true,
      leases: ['lease-1'],
      used: { nanodollars: 400n, tokens: 4n },
    });
    first.journal.flush();

    const { recovered } = open(directory);
    expect([...recovered.open.keys()]).toEqual(['open']);
    expect(recovered.open.get('open')).toMatchObject({ amounts: HOLD, leases: ['lease-1'] });
    expect(recovered.open.get('open')?.record.heldNanodollars).toBe(812_750n);
    expect(recovered.leases.get('lease-1')?.posted).toEqual({ nanodollars: '400', tokens: '4' });
    expect(recovered).toMatchObject({ stream: 'scout/host/1', seq: 1 });
    expect(recovered.previous).toMatch(/^[0-9a-f]{64}$/);
  });

  it('knows the same when the segments that said so are gone', async () => {
    const directory = temporaryDirectory('book');
    const { book, journal } = open(directory, 4_096);
    book.lease(LEASE);
    await book.decide(exampleRecord({ callId: 'open' }), ['lease-1'], HOLD);
    for (let i = 0; i < 20; i++) {
      await book.decide(exampleRecord({ callId: `call-${i}` }), [], NOTHING);
      book.end(exampleRecord({ callId: `call-${i}` }), {
        decided: true,
        leases: ['lease-1'],
        used: { nanodollars: 1n, tokens: 0n },
      });
    }
    journal.flush();
    journal.forget(journal.tail);
    const { recovered } = open(directory, 4_096);
    expect([...recovered.open.keys()]).toEqual(['open']);
    expect(recovered.seq).toBe(20);
  });

  it('ships what was sealed, byte for byte the same at every reading', async () => {
    const directory = temporaryDirectory('book');
    const { book, journal } = open(directory);
    for (let i = 0; i < 5; i++)
      book.end(exampleRecord({ callId: `call-${i}` }), { decided: false, leases: [], used: NOTHING });
    journal.flush();
    const read = () => {
      const frames = journal
        .read({ segment: 0, offset: 0 }, 1 << 20)
        .filter(({ kind }) => kind === FRAME_KINDS.end);
      return spansOf(frames, { 'service.name': 'test' })!;
    };
    expect(read().equals(read())).toBe(true);
    for (let i = 0; i < 5; i++) expect(read().includes(`call-${i}`)).toBe(true);
  });

  it('AUD-08: leaves its stream when told to, and recovers in the one it began', async () => {
    const directory = temporaryDirectory('book');
    let streams = 0;
    const { book, journal } = open(directory, undefined, () => `scout/host/${streams++}`);
    const end = (callId: string) =>
      book.end(exampleRecord({ callId }), { decided: false, leases: [], used: NOTHING });
    book.lease(LEASE);
    for (const call of ['one', 'two']) end(call);
    book.leave();
    expect(book.stream).toBe('scout/host/1');
    end('three');
    journal.flush();
    const frames = journal
      .read({ segment: 0, offset: 0 }, 1 << 20)
      .filter(({ kind }) => kind === FRAME_KINDS.end);
    const [text] = walkFraming('traces', spansOf(frames, { 'service.name': 'test' })!).chains;
    expect(parseChainRanges(text!)).toMatchObject([
      { stream: 'scout/host/0', first: 0, last: 1 },
      { stream: 'scout/host/1', first: 0, last: 0 },
    ]);
    const { recovered } = open(directory);
    expect(recovered).toMatchObject({ stream: 'scout/host/1', seq: 1 });
    expect([...recovered.leases.keys()]).toEqual(['lease-1']);
  });

  it('says which links of its chain a request holds, up to the head that the next link names', () => {
    const directory = temporaryDirectory('book');
    const { book, journal } = open(directory);
    const end = (callId: string) =>
      book.end(exampleRecord({ callId }), { decided: false, leases: [], used: NOTHING });
    for (let i = 0; i < 3; i++) end(`call-${i}`);
    journal.flush();
    const cut = journal.tail;
    for (let i = 3; i < 5; i++) end(`call-${i}`);
    journal.flush();
    const { recovered } = open(directory);
    const endsFrom = (from: Position) =>
      journal.read(from, 1 << 20).filter(({ kind }) => kind === FRAME_KINDS.end);
    const chainsIn = (frames: readonly Frame[]) =>
      walkFraming('traces', spansOf(frames, { 'service.name': 'test' })!).chains.map(parseChainRanges);
    const all = endsFrom({ segment: 0, offset: 0 });
    const stream = 'scout/host/1';
    expect(chainsIn(all)).toEqual([[{ stream, first: 0, last: 4, head: recovered.previous }]]);
    const first = chainsIn(all.slice(0, 3))[0]?.[0];
    expect(first).toMatchObject({ stream, first: 0, last: 2 });
    expect(endsFrom(cut)[0]!.payload.includes(`"previous":"${first!.head}"`)).toBe(true);
  });
});
