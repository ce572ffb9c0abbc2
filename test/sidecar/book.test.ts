import { describe, expect, it } from 'vitest';
import { walkFraming } from '../../collector/receive/framing.ts';
import { parseChainRanges } from '../../contract/chain-ranges.ts';
import { NOTHING } from '../../contract/money.ts';
import { systemClock } from '../../kit/clock.ts';
import { silentLog } from '../../kit/log.ts';
import { openBook, spansOf } from '../../sidecar/book.ts';
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
      ended: () => undefined,
      lost: (failure) => expect.fail(String(failure)),
    },
  );
}

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
