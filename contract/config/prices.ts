// Prices of the file, exact: each rate is read from the digits that were typed, never from the float a YAML parser
// makes of them.

import type { PriceOverride } from './config.ts';
import { type Problem, problemAt } from './problems.ts';
import type { FileConfig } from './schema.ts';
import { keyPlace, type MapTree, namesAt, nodeAt, valuePlace } from './tree.ts';
import { type Read, readDollars, readPicodollars } from './units.ts';

type FilePrice = NonNullable<FileConfig['prices']>[string];

const UNSET = {
  free: false,
  inputPicodollars: null,
  cachedInputPicodollars: null,
  cacheWritePicodollars: null,
  outputPicodollars: null,
  callNanodollars: null,
  maxOutput: null,
  contextWindow: null,
} as const;

export function resolvePrices(
  file: FileConfig,
  tree: MapTree,
  problems: Problem[],
): readonly PriceOverride[] {
  return Object.entries(file.prices ?? {}).map(([target, price]) => {
    const mistake = targetMistake(target);
    if (mistake) problems.push(problemAt(keyPlace(tree, ['prices', target]), mistake));
    if (price === 'free') return { target, ...UNSET, free: true };
    return resolvePrice(target, price, tree, problems);
  });
}

function resolvePrice(
  target: string,
  price: Exclude<FilePrice, 'free'>,
  tree: MapTree,
  problems: Problem[],
): PriceOverride {
  const amount = <Value>(key: string, read: (text: string) => Read<Value>): Value | null => {
    const path = ['prices', target, key];
    const node = nodeAt(tree, path);
    if (node?.kind !== 'scalar') return null;
    const result = read(node.text);
    if ('value' in result) return result.value;
    problems.push(problemAt(valuePlace(tree, path), `"${key}": ${result.mistake}`));
    return null;
  };
  if (namesAt(tree, ['prices', target]).size === 0) {
    problems.push(
      problemAt(valuePlace(tree, ['prices', target]), 'a price without amounts: write free, or a rate'),
    );
  }
  return {
    target,
    free: false,
    inputPicodollars: amount('input', readPicodollars),
    cachedInputPicodollars: amount('cached_input', readPicodollars),
    cacheWritePicodollars: amount('cache_write', readPicodollars),
    outputPicodollars: amount('output', readPicodollars),
    callNanodollars: amount('call', readDollars),
    maxOutput: price.max_output ?? null,
    contextWindow: price.context_window ?? null,
  };
}

function targetMistake(target: string): string | undefined {
  const star = target.indexOf('*');
  if (target.split('/').includes('')) return 'a price is for upstream/model or upstream: a part is empty';
  if (star >= 0 && star < target.length - 1) return 'in a price, * stands only at the end';
  return star >= 0 && !target.includes('/')
    ? 'a price names its upstream in full, as in openai/*'
    : undefined;
}
