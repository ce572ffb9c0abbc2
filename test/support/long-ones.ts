// Tests of what is done once in a while, by hand: they run with the long ones, not in every run.

export const LONG_ONES = [
  'test/collector/rebuild.test.ts',
  'test/collector/store/move.test.ts',
  'test/collector/store/server/mend.test.ts',
  'test/collector/store/two-shards.test.ts',
];
