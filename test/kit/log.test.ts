import { describe, expect, it } from 'vitest';
import { createLog, sentenceOf } from '../../kit/log.ts';

function lineOf(text: string): string {
  const lines: string[] = [];
  createLog('store', (line) => void lines.push(line)).error('load.failed', { reason: text });
  expect(lines.length).toBe(1);
  return lines[0]!;
}

describe('a line of the log', () => {
  it.each([
    ['line ends', 'a\r\n{"level":"info"}\u2028\u2029\u0085'],
    ['commands to a terminal', '\u001b[31mred\u009b2J\u007f\b'],
    ['text that turns around', 'user\u202etxt.exe\u2066\u2069\u200f\u061c'],
    ['what cannot be seen', 'a\u200bb\u2060c\ufeff\u0000'],
    ['half a character', 'x\ud800y'],
  ])('COL-27 holds %s as escapes, and says the same', (_what, text) => {
    const line = lineOf(text);
    expect(line).toMatch(/^[\x20-\x7e]+\n$/);
    expect(JSON.parse(line)).toMatchObject({ level: 'error', reason: text });
  });

  it('COL-27 cuts a text of a MiB, and says how much is missing', () => {
    const line = lineOf('x'.repeat(1024 * 1024));
    expect(line.length).toBeLessThan(5_000);
    expect(JSON.parse(line).reason).toMatch(/^x{4096}… \(1044480 more\)$/);
  });

  it('leaves what people write as it is', () => {
    expect(lineOf('Zürich – 東京 🚀')).toContain('Zürich – 東京 🚀');
  });
});

describe('the sentence of a failure', () => {
  const cause = new Error('The disk is full.');
  it.each([
    [new Error('The backup failed.', { cause }), 'The backup failed (The disk is full.).'],
    [new Error('EIO', { cause }), 'EIO: The disk is full.'],
    [new Error(sentenceOf(cause), { cause }), 'The disk is full.'],
    ['no error', 'no error'],
  ])('%s has its causes, each once', (failure, sentence) => {
    expect(sentenceOf(failure)).toBe(sentence);
  });
});
