// `npm run bench [-- sidecar|doors|mcp|collector|ingest|audit] [--quick]`: prints DESIGN's table of speed and size, measured here.
// `npm run bench -- queries [--spans 10000000] [--keep DIR]` is asked for by name: a quarter of an hour goes by, less where DIR holds them already.

import { parseArgs } from 'node:util';
import { printRows, type Row } from './report.ts';

const { values, positionals } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    spans: { type: 'string', default: '10000000' },
    keep: { type: 'string' },
  },
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
if (wanted('ingest')) {
  const { benchIngest } = await import('./ingest.ts');
  rows.push(...(await benchIngest(values.quick)));
}
if (wanted('audit')) {
  const { benchAudit } = await import('./audit.ts');
  rows.push(...(await benchAudit(values.quick)));
}
if (positionals.includes('queries')) {
  const { benchQueries } = await import('./queries.ts');
  rows.push(...(await benchQueries(values.quick ? 1_000_000 : Number(values.spans), values.keep)));
}
process.stdout.write(`${printRows(rows)}\n`);
process.exit(0);
