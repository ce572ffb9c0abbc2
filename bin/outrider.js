#!/usr/bin/env -S node --max-semi-space-size=4
// The `outrider` command: checks Node's version, turns on the compile cache, then imports the entry.
// Plain JavaScript, so that an old Node can still read the sentence that refuses it. A proxy's garbage is short-lived: the
// small nursery of the first line keeps the resident memory low.
import { existsSync } from 'node:fs';
import module from 'node:module';
import v8 from 'node:v8';

const required = [24, 18, 1];
const actual = process.versions.node.split('.').map(Number);
const difference = required.map((part, i) => actual[i] - part).find((d) => d !== 0) ?? 0;
if (difference < 0) {
  process.stderr.write(
    `Outrider needs Node ${required.join('.')} or newer and this is ${process.versions.node}: ` +
      'older releases let hidden headers past a proxy (CVE-2026-58044). Install a newer Node.\n',
  );
  process.exit(78);
}
// The embedded Postgres is WebAssembly, a few functions of it enormous: V8 would spend half a CPU-second of every start on
// optimising them. This many bytes run later, some ten thousand statements, it still does. A sidecar has no part in it.
// Before the cache, which is kept apart for each set of flags.
if (['up', 'collector'].includes(process.argv[2] ?? ''))
  v8.setFlagsFromString('--wasm-tiering-budget=1000000000');
module.enableCompileCache?.();
// A clone has the sources and runs them as written; an installed package has only what was compiled from them.
const isClone = existsSync(new URL('../cli/main.ts', import.meta.url));
await import(isClone ? '../cli/main.ts' : '../dist/cli/main.js');
