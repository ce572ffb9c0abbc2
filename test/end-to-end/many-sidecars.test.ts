// Six processes here, for each costs a second of a core to start; twenty, and twenty that are killed and stopped, in `npm run soak`.

import { afterAll, beforeAll, test } from 'vitest';
import { spendAmongHungry } from './hungry-queries.ts';
import { type ManySidecars, startManySidecars } from './many-sidecars.ts';

let many: ManySidecars;
beforeAll(async () => {
  many = await startManySidecars({ sidecars: 6, callers: 50, dollars: 100 });
});
afterAll(() => many.stop());

test('BUD-20: six sidecars, fifty calls each at once, one budget of $100: exactly a hundred are answered', async () => {
  await many.spend('together');
}, 180_000);

test('queries that eat all memory die, and the store is killed, while six sidecars spend: no record is lost, no lease late', async () => {
  await spendAmongHungry(many, { task: 'among-hungry', quietTask: 'together', dollars: 100 });
}, 180_000);
