// A disk that turns bits: the book, the journal and the shipper as a start finds them afterwards. What was sent is known
// elsewhere, so no link may be sealed a second time; what can still be read is still shipped.

import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { walkFraming } from '../../../collector/receive/framing.ts';
import { type ChainRange, parseChainRanges } from '../../../contract/chain-ranges.ts';
import { NOTHING } from '../../../contract/money.ts';
import { systemClock } from '../../../kit/clock.ts';
import { silentLog } from '../../../kit/log.ts';
import { openBook, spansOf } from '../../../sidecar/book.ts';
import { headerOf } from '../../../sidecar/book-frames.ts';
import { type Disk, systemDisk } from '../../../sidecar/edges/disk.ts';
import { openJournal } from '../../../sidecar/edges/journal.ts';
import { nextFrame } from '../../../sidecar/edges/journal-frames.ts';
import { openShipped } from '../../../sidecar/edges/shipped.ts';
import { createShipper } from '../../../sidecar/edges/shipper.ts';
import { temporaryDirectory } from '../../support/processes.ts';
import { exampleRecord } from '../example-record.ts';

let streams = 0;

/** A sidecar's records, from the data directory up to what its collector gets. */
function start(directory: string, { segmentBytesMax = 1 << 20, disk = systemDisk } = {}) {
  const shipped = openShipped(systemDisk, directory, silentLog);
  const { book, journal, recovered } = openBook(
    (snapshot) =>
      openJournal({
        directory,
        sizeBytesMax: 1 << 30,
        segmentBytesMax,
        disk,
        knownTo: shipped.knownTo,
        clock: systemClock,
        log: silentLog,
        snapshot,
      }),
    {
      strict: false,
      endedElsewhere: shipped.cursor.unsynced,
      newStream: () => `scout/host/${streams++}`,
      ended: () => undefined,
      lost: (failure) => expect.fail(String(failure)),
      later: () => expect.fail('there is room'),
    },
  );
  const taken: ChainRange[] = [];
  let reachable = true;
  const shipper = createShipper({
    journal,
    shipped,
    clock: systemClock,
    log: silentLog,
    async ship(body) {
      if (!reachable) throw new Error('nobody answers');
      taken.push(...walkFraming('traces', body).chains.flatMap((text) => parseChainRanges(text)!));
    },
    encode: (frames) => spansOf(frames, { 'service.name': 'test' }),
    callOf: ({ payload }) => headerOf(payload).call,
  });
  return {
    book,
    journal,
    recovered,
    shipper,
    taken,
    unplug: () => {
      reachable = false;
    },
    call(callId: string) {
      book.end(exampleRecord({ callId }), { decided: false, leases: [], used: NOTHING });
      journal.flush();
    },
    ship: () => shipper.drain(1_000),
    async stop() {
      shipper.stop();
      await journal.close();
    },
  };
}

/** A disk that takes bytes and can't promise them any more, from the moment it is told so. */
function failingDisk(): Disk & { fail(): void } {
  let failing = false;
  return {
    ...systemDisk,
    grow(path) {
      const file = systemDisk.grow(path);
      return {
        ...file,
        sync: (done) => (failing ? done(Object.assign(new Error('EIO'), { code: 'EIO' })) : file.sync(done)),
      };
    },
    fail() {
      failing = true;
    },
  };
}

const linksOf = (ranges: readonly ChainRange[]): string[] =>
  ranges.flatMap(({ stream, first, last }) =>
    Array.from({ length: last - first + 1 }, (_, i) => `${stream} ${first + i}`),
  );

function flip(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at]! ^= 0x10;
  writeFileSync(path, bytes);
}

const journalIn = (directory: string): string =>
  join(directory, readdirSync(directory).find((name) => /^journal-\d+\.log$/.test(name))!);

/** Six records, shipped; where each byte of the file may then turn bad. */
async function sixShipped(directory: string) {
  const first = start(directory);
  for (let i = 0; i < 6; i++) first.call(`call-${i}`);
  await first.ship();
  await first.stop();
  expect(linksOf(first.taken)).toHaveLength(6);
  return first;
}

describe('AUD-07: a journal in which a bit turned', () => {
  it('never seals a link again that was shipped, whichever byte it is', async () => {
    const template = temporaryDirectory('damage');
    const { taken } = await sixShipped(template);
    const whole = readFileSync(journalIn(template));
    const cursor = ['shipped.json', 'shipped.1.json'].map(
      (name) => [name, readFileSync(join(template, name))] as const,
    );
    for (let at = 0; at < whole.length; at += 211) {
      const directory = temporaryDirectory('damage');
      for (const [name, bytes] of cursor) writeFileSync(join(directory, name), bytes);
      const changed = Buffer.from(whole);
      changed[at]! ^= 1 << (at % 8);
      writeFileSync(join(directory, 'journal-00000000.log'), changed);
      const again = start(directory);
      again.call('after');
      await again.ship();
      await again.stop();
      const links = linksOf(again.taken);
      expect(links, `byte ${at}`).toContain(`${again.book.stream} 0`);
      expect(
        links.filter((link) => linksOf(taken).includes(link)),
        `byte ${at}`,
      ).toEqual([]);
      expect(again.recovered.began, `byte ${at}`).toMatchObject({ damagedBytes: expect.any(Number) });
    }
  });

  it('ships what stands behind the damage, keeps the file, and goes on in the new stream at the next start', async () => {
    const directory = temporaryDirectory('damage');
    const first = start(directory);
    first.unplug();
    first.call('call-0');
    const { offset } = first.journal.tail;
    for (let i = 1; i < 6; i++) first.call(`call-${i}`);
    await first.stop();
    flip(journalIn(directory), offset + 40);

    const second = start(directory);
    expect(second.recovered.began).toMatchObject({ after: first.book.stream, seq: 6 });
    expect(second.recovered.began!.damagedBytes).toBeGreaterThan(1_000);
    second.call('call-6');
    await second.ship();
    await second.stop();
    expect(linksOf(second.taken)).toEqual([
      ...[0, 2, 3, 4, 5].map((seq) => `${first.book.stream} ${seq}`),
      `${second.book.stream} 0`,
    ]);
    const kept = readdirSync(directory).filter((name) => name.includes('damaged'));
    expect(kept).toEqual(['damaged-00000000.log']);

    const third = start(directory);
    expect(third.book.stream).toBe(second.book.stream);
    third.call('call-7');
    await third.ship();
    expect(linksOf(third.taken)).toEqual([`${second.book.stream} 1`]);
    await third.stop();
  });

  it('is noticed while it runs: what follows is shipped, the next start begins another stream', async () => {
    const directory = temporaryDirectory('damage');
    const first = start(directory);
    first.call('call-0');
    await first.ship();
    const { offset } = first.journal.tail;
    for (let i = 1; i < 4; i++) first.call(`call-${i}`);
    flip(journalIn(directory), offset + 40);
    await first.ship();
    expect(linksOf(first.taken)).toEqual([0, 2, 3].map((seq) => `${first.book.stream} ${seq}`));
    await first.stop();
    const second = start(directory);
    expect(second.book.stream).not.toBe(first.book.stream);
    await second.stop();
  });

  it('counts money in what was lost as spent: no lease is kept that a lost decision may have drawn from', async () => {
    const directory = temporaryDirectory('damage');
    const lease = (id: string, posted: string) => ({
      scope: 'agent' as const,
      agent: 'scout',
      task: '',
      lease: id,
      nonce: `nonce-${id}`,
      epoch: 1,
      seq: 1,
      granted: { nanodollars: '100000', tokens: '0' },
      unlimited: { nanodollars: false, tokens: true },
      posted: { nanodollars: posted, tokens: '0' },
      expiresAtMs: 2e12,
    });
    const first = start(directory);
    first.book.lease(lease('before', '1'));
    const { offset } = first.journal.tail;
    await first.book.decide(exampleRecord({ callId: 'lost' }), ['before'], { nanodollars: 9n, tokens: 0n });
    await first.book.decide(exampleRecord({ callId: 'kept' }), ['before'], { nanodollars: 9n, tokens: 0n });
    await first.stop();
    flip(journalIn(directory), offset + 40);
    const { recovered, stop } = start(directory);
    expect([...recovered.leases.keys()]).toEqual([]);
    expect([...recovered.open.keys()]).toEqual(['kept']);
    await stop();
  });

  it('keeps the leases where a later segment began with all of them', async () => {
    const directory = temporaryDirectory('damage');
    const first = start(directory, { segmentBytesMax: 8_192 });
    first.unplug();
    for (let i = 0; i < 12; i++) first.call(`call-${i}`);
    expect(first.journal.tail.segment).toBeGreaterThan(1);
    await first.stop();
    flip(join(directory, 'journal-00000000.log'), 3_000);
    const second = start(directory, { segmentBytesMax: 8_192 });
    expect(second.book.stream).not.toBe(first.book.stream);
    expect(second.recovered.began).toMatchObject({ after: first.book.stream, seq: 12 });
    await second.ship();
    expect(linksOf(second.taken)).toHaveLength(11);
    await second.stop();
  });
});

describe('AUD-07: where it was shipped to', () => {
  const cursors = ['shipped.json', 'shipped.1.json'];

  it.each(['', '{', 'null', '{"acknowledged":{"segment":"x"}}', '\0\0\0\0'])(
    'is read from its other copy when one of them holds %j',
    async (text) => {
      const directory = temporaryDirectory('damage');
      const first = await sixShipped(directory);
      for (const name of cursors) {
        const before = readFileSync(join(directory, name));
        writeFileSync(join(directory, name), text);
        const again = start(directory);
        again.call(`after-${name}`);
        await again.ship();
        await again.stop();
        expect(linksOf(again.taken)).toContain(`${first.book.stream} ${name === 'shipped.json' ? 6 : 7}`);
        writeFileSync(join(directory, name), before);
      }
    },
  );

  it('is not known when both are gone: everything that is left is shipped, and the start does not fail', async () => {
    const directory = temporaryDirectory('damage');
    const first = await sixShipped(directory);
    for (const name of cursors) writeFileSync(join(directory, name), 'nothing');
    const again = start(directory);
    again.call('after');
    await again.ship();
    await again.stop();
    expect(linksOf(again.taken)).toEqual([0, 1, 2, 3, 4, 5, 6].map((seq) => `${first.book.stream} ${seq}`));
  });

  it('lies behind what the disk still holds: another stream begins, and is shipped', async () => {
    const directory = temporaryDirectory('damage');
    const first = await sixShipped(directory);
    const path = journalIn(directory);
    const bytes = readFileSync(path);
    // a power cut after a failed sync: the frames that were shipped last never came to the disk
    let cut = 0;
    for (let at = nextFrame(bytes, 1); at !== null; at = nextFrame(bytes, at + 1)) cut = at;
    writeFileSync(path, bytes.subarray(0, cut));
    const again = start(directory);
    expect(again.recovered.began).toMatchObject({ after: first.book.stream });
    again.call('after');
    await again.ship();
    expect(linksOf(again.taken)).toEqual([`${again.book.stream} 0`]);
    await again.stop();
  });
});

describe('a disk that fails, and then loses power', () => {
  it('does not end a call again whose end was sent and then lost', async () => {
    const directory = temporaryDirectory('damage');
    const disk = failingDisk();
    const first = start(directory, { disk });
    for (const callId of ['known', 'open']) await first.book.decide(exampleRecord({ callId }), [], NOTHING);
    await first.journal.synced();
    const { offset } = first.journal.tail;
    disk.fail();
    first.book.end(exampleRecord({ callId: 'known' }), { decided: true, leases: [], used: NOTHING });
    await expect(first.journal.synced()).rejects.toMatchObject({ code: 'audit_unavailable' });
    await first.ship();
    await first.stop();
    expect(linksOf(first.taken)).toHaveLength(1);
    truncateSync(journalIn(directory), offset);

    const second = start(directory);
    expect([...second.recovered.open.keys()]).toEqual(['open']);
    expect(second.recovered.began).toMatchObject({ damagedBytes: expect.any(Number) });
    second.call('after');
    await second.ship();
    await second.stop();
    expect([...start(directory).recovered.open.keys()]).toEqual(['open']);
  });
});
