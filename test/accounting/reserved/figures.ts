// How much more is reserved than used: the same code that holds money for a call, over the calls beside this file.

import { readFileSync } from 'node:fs';
import { parseStrict } from '../../../kit/strict-json.ts';
import type { JsonObject, RequestHead } from '../../../sidecar/dialects/dialect.ts';
import { bookWith, NOW, usageOf } from '../../sidecar/state/prices-calls.ts';
import { callsOf, OUTPUT_LIMIT, type ReservedCall, SHAPES, type Shape, WIRES, type Wire } from './calls.ts';

const BEGIN = '<!-- Written by `npm run docs` from test/accounting/reserved/; a test runs every figure. -->';
const END = '<!-- End of what is reserved. -->';

export interface Reserved {
  readonly shape: Shape;
  readonly kind: string;
  /** In tokens. */
  readonly inputBound: number;
  readonly inputTokens: number;
  /** In nanodollars, input and output together. */
  readonly held: bigint;
  readonly cost: bigint;
}

/** What each call of one wire holds and what it costs. */
export const reservedBy = (wire: Wire): Reserved[] => callsOf(wire).map((call) => reservedFor(wire, call));

function reservedFor(wire: Wire, call: ReservedCall): Reserved {
  const { dialect, upstream, path, model } = wire;
  const bytes = Buffer.from(JSON.stringify(wire.body(call.asked)));
  const head: RequestHead = {
    method: 'POST',
    path,
    query: '',
    headers: { 'content-type': 'application/json' },
  };
  const endpoint = dialect.recognise(head);
  if (!endpoint) throw new Error(`${path} is no endpoint of ${dialect.name}`);
  const description = dialect.describe(endpoint, head, parseStrict(bytes) as JsonObject, bytes);
  const book = bookWith();
  const price = book.priceOf(upstream, model, NOW);
  const held = price && book.bound(price, description, OUTPUT_LIMIT);
  const usage = usageOf({ uncachedInputTokens: call.inputTokens, outputTokens: call.outputTokens });
  const cost = price && book.cost(price, usage);
  if (!held || cost === null) throw new Error(`${model} has no price`);
  const { shape, kind, inputTokens } = call;
  return {
    shape,
    kind,
    inputBound: Number(held.tokens) - OUTPUT_LIMIT,
    inputTokens,
    held: held.nanodollars,
    cost,
  };
}

/** docs/accounting.md with its figures as they must be. Throws where the page has no place for them. */
export function withReserved(page: string): string {
  const begin = page.indexOf(BEGIN);
  const end = page.indexOf(END);
  if (begin < 0 || end < begin) throw new Error('docs/accounting.md has no place for what is reserved');
  return `${page.slice(0, begin)}${BEGIN}\n\n${table()}\n${page.slice(end)}`;
}

export const reservedPage = (): string =>
  withReserved(readFileSync(new URL('../../../docs/accounting.md', import.meta.url), 'utf8'));

function table(): string {
  const head = '| | input, p10 | p50 | p90 | money, p10 | p50 | p90 |';
  const rule = `| --- |${' ---: |'.repeat(6)}`;
  const rows = WIRES.flatMap((wire) => {
    const all = reservedBy(wire);
    const text = all.filter(({ shape }) => shape !== 'with a picture');
    return [
      lineOf(wire.title, text),
      ...SHAPES.map((shape) =>
        lineOf(
          `– ${shape}`,
          all.filter((each) => each.shape === shape),
        ),
      ),
    ];
  });
  return `${[head, rule, ...rows].join('\n')}\n`;
}

function lineOf(title: string, calls: readonly Reserved[]): string {
  const input = calls.map(({ inputBound, inputTokens }) => inputBound / inputTokens);
  const money = calls.map(({ held, cost }) => Number(held) / Number(cost));
  const figures = [input, money].flatMap((ratios) =>
    [0.1, 0.5, 0.9].map((share) => quantile(ratios, share).toFixed(1)),
  );
  return `| ${[title, ...figures].join(' | ')} |`;
}

/** The nearest rank. */
function quantile(numbers: readonly number[], share: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)]!;
}
