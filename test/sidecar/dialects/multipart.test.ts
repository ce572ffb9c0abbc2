// Forms as data: what two readers could read differently is refused, and what is accepted is read as written.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Refusal } from '../../../contract/refusals.ts';
import { readMultipart } from '../../../sidecar/dialects/multipart.ts';

interface FormCase {
  readonly id: string;
  readonly type: string;
  readonly body: string;
  /** Names and bodies of its parts; null where it must be refused. */
  readonly parts: readonly (readonly [name: string, body: string])[] | null;
}

const CASES = readFileSync(new URL('../../cases/forms.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as FormCase);

describe('readMultipart', () => {
  it.each(CASES)('$id', ({ type, body, parts }) => {
    const read = () =>
      readMultipart(type, Buffer.from(body)).map((part) => [part.name, part.body.toString()]);
    if (parts === null) expect(read).toThrow(Refusal);
    else expect(read()).toEqual(parts);
  });

  it('reads what this runtime writes', async () => {
    const form = new FormData();
    form.set('purpose', 'batch');
    form.set('file', new Blob(['{"a":1}\n{"b":2}']), 'requests.jsonl');
    const written = new Response(form);
    const type = written.headers.get('content-type')!;
    const parts = readMultipart(type, Buffer.from(await written.arrayBuffer()));
    expect(parts.map(({ name, filename, body }) => [name, filename, body.toString()])).toEqual([
      ['purpose', null, 'batch'],
      ['file', 'requests.jsonl', '{"a":1}\n{"b":2}'],
    ]);
  });

  it('takes no time over a body full of boundaries that are none', () => {
    const body = Buffer.from(
      `--b\r\ncontent-disposition: form-data; name="a"\r\n\r\n${'\r\n--'.repeat(200_000)}\r\n--b--`,
    );
    expect(readMultipart('multipart/form-data; boundary=b', body)).toHaveLength(1);
  });
});
