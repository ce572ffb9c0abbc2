// `node test/storm/show.ts [SEED]`: the curve of docs/circuits.md, with sidecars and without.

import { type Curve, ride, sum } from './fleet.ts';

const MINUTE_MS = 60_000;
const seed = Number(process.argv[2] ?? 1);
const storm = { seed, agents: 20, calmMs: 10 * MINUTE_MS, stormMs: 10 * MINUTE_MS, afterMs: 20 * MINUTE_MS };
const [kept, bare] = [await ride({ ...storm, sidecars: true }), await ride({ ...storm, sidecars: false })];

const perMinute = (numbers: readonly number[], minute: number): number =>
  sum(numbers.slice(minute * 60, minute * 60 + 60));
const line = (minute: number, curve: Curve): string =>
  [curve.begun, curve.asked, curve.served]
    .map((numbers) => String(perMinute(numbers, minute)).padStart(7))
    .join('');

console.log('minute   with sidecars          without');
console.log('         begun  asked served   begun  asked served');
for (let minute = 8; minute < 40; minute++)
  console.log(`${String(minute).padStart(6)}${line(minute, kept)} ${line(minute, bare)}`);
for (const [name, curve] of Object.entries({ kept, bare })) {
  const during = (numbers: readonly number[]): number => sum(numbers.slice(600, 1200));
  const peak = Math.max(...curve.asked.slice(1200));
  console.log(
    `${name}: storm ${during(curve.asked)} asked ÷ ${during(curve.begun)} begun = ${(during(curve.asked) / during(curve.begun)).toFixed(3)}; peak after ${peak}/s, before ${Math.max(...curve.asked.slice(60, 600))}/s`,
  );
}
