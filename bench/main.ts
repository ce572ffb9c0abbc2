// `npm run bench [-- sidecar|doors|mcp|collector|audit] [--quick]`: prints DESIGN's table of speed and size, measured here.

import { parseArgs } from 'node:util';
import { printRows, type Row } from './report.ts';

const { values, positionals } = parseArgs({
  options: { quick: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const wanted = (name: string): boolean => positionals.length === 0 || positionals.includes(name);
const rows: Row[] = [];
if (wanted('sidecar')) {
  const { benchSidecar } = await import('./sidecar.ts');
  rows.push(...(await benchSidecar(values.quick)));
}
if (wanted('mcp')) {
  const { benchMcp } = await import('./mcp.ts');
  rows.push(...(await benchMcp(values.quick)));
}
if (wanted('doors')) {
  const { benchDoors } = await import('./doors.ts');
  rows.push(...(await benchDoors(values.quick)));
}
if (wanted('collector')) {
  const { benchCollector } = await import('./collector.ts');
  rows.push(...(await benchCollector(values.quick)));
}
if (wanted('audit')) {
  const { benchAudit } = await import('./audit.ts');
  rows.push(...(await benchAudit(values.quick)));
}
process.stdout.write(`${printRows(rows)}\n`);
process.exit(0);
