// What is kept of dead letters until the collector has it: on disk, once, bounded, sent again after failures and starts.

import { readdirSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { silentLog } from '../../../kit/log.ts';
import { nameOf } from '../../../sidecar/dead-letters/dead-letters.ts';
import { createKeptBodies, type KeptBodies } from '../../../sidecar/edges/kept-bodies.ts';
import { type ManualClock, manualClock } from '../../support/manual-clock.ts';
import { temporaryDirectory } from '../../support/processes.ts';

const ONE = Buffer.from('{"one":1}');
const TWO = Buffer.from('{"two":22}');

let directory: string;
let clock: ManualClock;
let put: string[];
let failing: boolean;
beforeEach(() => {
  directory = join(temporaryDirectory('kept'), 'dead-letters');
  clock = manualClock();
  put = [];
  failing = false;
});

const open = (bytesMax?: number): KeptBodies =>
  createKeptBodies({
    directory,
    put: async (name, bytes) => {
      if (failing) throw new Error('the collector is away');
      expect(nameOf(bytes)).toBe(name);
      put.push(name);
    },
    clock,
    log: silentLog,
    ...(bytesMax === undefined ? {} : { bytesMax }),
  });

test('each is kept once under the hash of its bytes, and gone once it was sent', async () => {
  const bodies = open();
  expect([bodies.keep(ONE), bodies.keep(ONE), bodies.keep(TWO)]).toEqual([ONE, ONE, TWO].map(nameOf));
  await bodies.send();
  expect(put).toEqual([ONE, TWO].map(nameOf));
  expect(readdirSync(directory)).toEqual([]);
});

test('what could not be sent waits on disk, for later or for the next start', async () => {
  failing = true;
  const bodies = open();
  bodies.keep(ONE);
  await bodies.send();
  expect([put, readdirSync(directory)]).toEqual([[], [nameOf(ONE)]]);
  bodies.stop();
  failing = false;
  await open().send();
  expect([put, readdirSync(directory)]).toEqual([[nameOf(ONE)], []]);
});

test('there is room for so many bytes, and room again once they were sent', async () => {
  const bodies = open(ONE.length + 1);
  expect(bodies.keep(ONE)).toBe(nameOf(ONE));
  expect(bodies.keep(TWO)).toBeNull();
  await bodies.send();
  expect(bodies.keep(TWO)).toBe(nameOf(TWO));
  await bodies.send();
});

test('a file that is gone holds up none behind it', async () => {
  failing = true;
  const bodies = open();
  bodies.keep(ONE);
  bodies.keep(TWO);
  await bodies.send();
  unlinkSync(join(directory, nameOf(ONE)));
  failing = false;
  await bodies.send();
  expect([put, readdirSync(directory)]).toEqual([[nameOf(TWO)], []]);
});

test('a file that is not what its name says goes nowhere', async () => {
  open().stop();
  writeFileSync(join(directory, nameOf(ONE)), TWO);
  await open().send();
  expect([put, readdirSync(directory)]).toEqual([[], []]);
});
