// What is kept of a dead letter: never a credential; masked by the rules, or whole; and only as far as `capture` says.

import { describe, expect, it } from 'vitest';
import type { CaptureBodies } from '../../../contract/config/config.ts';
import { KEPT_REQUEST_BYTES_MAX } from '../../../contract/dead-letter.ts';
import type { Known } from '../../../sidecar/call.ts';
import type { Charge, Ending } from '../../../sidecar/charge.ts';
import { callDigestOf } from '../../../sidecar/dead-letters/call-digest.ts';
import { crashNoteOf, createDeadLetters, nameOf } from '../../../sidecar/dead-letters/dead-letters.ts';
import { errorMessageOf } from '../../../sidecar/dead-letters/error-message.ts';
import { createFailedCalls } from '../../../sidecar/dead-letters/failed-calls.ts';
import { keepRequest, readKept } from '../../../sidecar/dead-letters/kept-request.ts';
import { redacted } from '../../../sidecar/dead-letters/redact.ts';
import { exampleRecord } from '../example-record.ts';

const CANARY = 'canary-5b2d7f3a';

function lost(more: Record<string, unknown> = {}, capture: CaptureBodies = 'full'): Known {
  return {
    to: { kind: 'upstream', name: 'billing' },
    method: 'POST',
    upstream: {
      name: 'billing',
      url: 'https://billing.example/v2',
      speaks: 'http',
      credential: 'k',
      declared: true,
    },
    head: {
      method: 'POST',
      path: '/v2/charges',
      query: '?dry=0',
      headers: { 'content-type': 'application/json' },
    },
    endpoint: { operation: null, billed: 'call', name: 'call', body: null },
    body: Buffer.from('{"mail":"ada@example.org","amount":3}'),
    bodyDigest: 'b1',
    agent: { name: 'scout', capture },
    lineage: { task: 't' },
    ...more,
  } as never;
}

const TIMED_OUT: Ending = { kind: 'broken', metered: null, failure: null };
const FAILED = { status: 'failure', errorType: 'upstream_broken' } as Charge;
const THROUGH = { status: 'success', errorType: '' } as Charge;

describe('a kept request', () => {
  it('goes to its upstream again, byte for byte', () => {
    const { head, body } = readKept(keepRequest(lost()) as Buffer);
    expect(head).toEqual({
      method: 'POST',
      url: '/billing/v2/charges?dry=0',
      headers: [['content-type', 'application/json']],
    });
    expect(body.toString()).toBe('{"mail":"ada@example.org","amount":3}');
  });

  it('names its host where no upstream declares it', () => {
    const upstream = {
      name: '',
      url: 'https://site.example',
      speaks: 'http',
      credential: null,
      declared: false,
    };
    expect(readKept(keepRequest(lost({ upstream })) as Buffer).head.url).toBe(
      'https://site.example/v2/charges?dry=0',
    );
  });

  it('holds no credential, whatever it is called', () => {
    const headers = Object.fromEntries(
      [
        ...[
          'authorization',
          'proxy-authorization',
          'x-api-key',
          'api-key',
          'cookie',
          'x-goog-api-key',
          'x-auth',
        ],
        ...[
          'x-outrider-token',
          'x-amz-security-token',
          'x-my-secret',
          'x-csrf-token',
          'apikey',
          'x-signature',
        ],
      ].map((name) => [name, CANARY]),
    );
    const query = `?a=1&key=${CANARY}&access_token=${CANARY}&X-Amz-Signature=${CANARY}&$key=${CANARY}&b=2`;
    const head = { method: 'POST', path: '/v2/charges', query, headers: { ...headers, accept: '*/*' } };
    const kept = readKept(keepRequest(lost({ head })) as Buffer);
    expect(JSON.stringify(kept.head)).not.toContain(CANARY);
    expect([kept.head.url, kept.head.headers]).toEqual(['/billing/v2/charges?a=1&b=2', [['accept', '*/*']]]);
  });

  it('is none where the agent’s own credential went, and none beyond its size', () => {
    const upstream = { ...lost().upstream, credential: 'agent' };
    expect(keepRequest(lost({ upstream }))).toBe('own_credential');
    expect(keepRequest(lost({ body: Buffer.alloc(KEPT_REQUEST_BYTES_MAX) }))).toBe('too_large');
  });
});

describe('masking', () => {
  it.each([
    ['{"mail":"Write to ada.l@example.org now"}', '{"mail":"Write to [email] now"}'],
    ['{"Password":"hunter2","note":"ok"}', '{"Password":"[secret]","note":"ok"}'],
    ['{"api_key":{"a":1},"max_tokens":5}', '{"api_key":"[secret]","max_tokens":5}'],
    ['{"a":["sk-proj-abcdefghij0123456789"]}', '{"a":["[secret]"]}'],
    ['{"id":"0b7f3a9c1e5b2d4f6a8c0e2b4d6f8a1c"}', '{"id":"[secret]"}'],
    ['{"card":"4111 1111 1111 1111","n":42}', '{"card":"[number]","n":42}'],
    ['{"card":4111111111111111,"n":42}', '{"card":"[number]","n":42}'],
    [
      JSON.stringify({ arguments: '{"password":"hunter2","n":1}' }),
      JSON.stringify({ arguments: '{"password":"[secret]","n":1}' }),
    ],
    ['grant=code&client_secret=hunter2&n=1', 'grant=code&client_secret=[secret]&n=1'],
    ['[not JSON, password=hunter2', '[not JSON, password=[secret]'],
    ['call +49 170 1234567 please', 'call [number] please'],
    ['{"text":"the year 2026, $12.50"}', '{"text":"the year 2026, $12.50"}'],
  ])('%s', (before, after) => {
    expect(redacted(Buffer.from(before))?.toString()).toBe(after);
  });
  it.each([
    ['lists', '['.repeat(30_000) + ']'.repeat(30_000)],
    ['strings', Array.from({ length: 14 }).reduce<string>((so) => JSON.stringify([so]), 'ada@example.org')],
  ])('comes to an end in %s without one', (_, body) => {
    expect(redacted(Buffer.from(body))?.toString()).not.toContain('ada@');
  });
  it('keeps nothing of what is no text', () => {
    expect(redacted(Buffer.from([0xff, 0xfe, 0x00]))).toBeNull();
  });
});

describe('what an upstream said', () => {
  it.each([
    ['{"error":{"message":"amount must be positive","type":"x"}}', 'amount must be positive'],
    ['{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}', 'Overloaded'],
    ['{"message":"no"}', 'no'],
    ['{"title":"Bad","detail":"line 1\\nline 2"}', 'line 1 line 2'],
    ['plain words', 'plain words'],
    ['<html>lots</html>', ''],
    ['', ''],
  ])('%s', (body, message) => expect(errorMessageOf(Buffer.from(body))).toBe(message));
  it('is not looked for without an end', () => {
    const body = `${'{"error":'.repeat(30_000)}"deep"${'}'.repeat(30_000)}`;
    expect(errorMessageOf(Buffer.from(body))).toBe(body.slice(0, 300));
  });
  it('is shortened', () => expect(errorMessageOf(Buffer.from('x'.repeat(9_999)))).toHaveLength(300));
});

describe('capture', () => {
  const noteWith = (capture: CaptureBodies) => {
    const kept: string[] = [];
    const letters = createDeadLetters((bytes) => {
      kept.push(bytes.toString());
      return nameOf(bytes);
    });
    const errorBody = [Buffer.from('{"message":"write to ada@example.org"}')];
    const head = { ...lost().head, headers: { 'x-user': 'ada@example.org' } };
    const note = letters.noteOf(lost({ errorBody, head }, capture), TIMED_OUT, FAILED, 0)!;
    return { note, kept };
  };

  it('none keeps nothing, not even words', () => {
    const { note, kept } = noteWith('none');
    expect([kept, note.message, note.request, note.answer, note.notKept]).toEqual([
      [],
      '',
      '',
      '',
      'capture',
    ]);
  });
  it('hash keeps what the upstream said, shortened', () => {
    const { note, kept } = noteWith('hash');
    expect([kept, note.message, note.notKept]).toEqual([[], 'write to ada@example.org', 'capture']);
  });
  it('redacted keeps both masked, and says that this is no request to replay', () => {
    const { note, kept } = noteWith('redacted');
    expect(kept.join('')).toContain('[email]');
    expect(kept.join('')).not.toMatch(/ada@|dry=0/);
    expect([note.request, note.answer].map((name) => name.length)).toEqual([64, 64]);
    expect(note.notKept).toBe('redacted');
  });
  it('full keeps both by their names', () => {
    const { note, kept } = noteWith('full');
    expect([note.answer, note.request].sort()).toEqual(kept.map((text) => nameOf(Buffer.from(text))).sort());
    expect(note.notKept).toBe('');
  });
  it('says so where there is no room', () => {
    const letters = createDeadLetters(() => null);
    expect(letters.noteOf(lost(), TIMED_OUT, FAILED, 0)).toMatchObject({ request: '', notKept: 'no_room' });
  });
  it('keeps no answer that holds the injected secret under a coding', () => {
    const outbound = { secret: Buffer.from(CANARY) };
    const errorBody = [Buffer.from(`{"message":"bad key ${CANARY}"}`)];
    const kept: string[] = [];
    const letters = createDeadLetters((bytes) => String(kept.push(bytes.toString())));
    const note = letters.noteOf(lost({ errorBody, outbound }), TIMED_OUT, FAILED, 0);
    expect([kept.join(''), JSON.stringify(note)].join('')).not.toContain(CANARY);
  });
});

describe('the same call', () => {
  const letters = () => createDeadLetters(() => null);

  it('that comes through says so once; another does not', () => {
    const use = letters();
    expect(use.noteOf(lost(), TIMED_OUT, THROUGH, 200)).toBeNull();
    const { callDigest } = use.noteOf(lost(), TIMED_OUT, FAILED, 0)!;
    expect(use.noteOf(lost({ bodyDigest: 'b2' }), TIMED_OUT, THROUGH, 200)).toBeNull();
    expect(use.noteOf(lost({ lineage: { task: 'u' } }), TIMED_OUT, THROUGH, 200)).toBeNull();
    expect(use.noteOf(lost(), TIMED_OUT, THROUGH, 200)).toMatchObject({ mark: 'recovered', callDigest });
    expect(use.noteOf(lost(), TIMED_OUT, THROUGH, 200)).toBeNull();
  });

  it('of a tool is known by name and arguments, whatever the message’s id', () => {
    const act = (args: object) => ({ acts: [{ method: 'tools/call', name: 'send', args }] });
    const one = callDigestOf(lost({ description: act({ to: 'a' }), bodyDigest: 'x' }));
    expect(callDigestOf(lost({ description: act({ to: 'a' }), bodyDigest: 'y' }))).toBe(one);
    expect(callDigestOf(lost({ description: act({ to: 'b' }), bodyDigest: 'x' }))).not.toBe(one);
  });

  it('cannot be known where no hash is kept', () => {
    expect(callDigestOf(lost({ bodyDigest: '' }))).toBe('');
    expect(callDigestOf(lost({ bodyDigest: '', body: Buffer.alloc(0) }))).not.toBe('');
  });

  it('of a model is the same to a sidecar that died meanwhile', () => {
    const upstream = { ...lost().upstream, name: 'openai', speaks: 'openai' };
    const head = { method: 'POST', path: '/v1/chat/completions', query: '', headers: {} };
    const record = exampleRecord({ attempt: 1, requestDigest: 'b1', upstream: 'openai', path: head.path });
    const note = crashNoteOf(record);
    expect(note).toMatchObject({ mark: 'failed', notKept: 'crash' });
    expect(note?.callDigest).toBe(callDigestOf(lost({ upstream, head })));
    const use = letters();
    use.found({ ...record, deadLetter: note, agent: 'scout', task: 't' });
    expect(use.noteOf(lost({ upstream, head }), TIMED_OUT, THROUGH, 200)).toMatchObject({
      mark: 'recovered',
    });
  });

  it('is noted before a byte leaves where its end alone would tell', () => {
    const use = letters();
    expect(use.noteBefore(lost())).toMatchObject({
      mark: 'outcome_unknown',
      callDigest: callDigestOf(lost()),
    });
    const upstream = { ...lost().upstream, speaks: 'openai' };
    expect(use.noteBefore(lost({ upstream }))).toBeNull();
  });

  it('is forgotten, oldest first, beyond so many', () => {
    const failed = createFailedCalls(2);
    for (const digest of ['1', '2', '3', '3']) failed.add('p', digest);
    expect([failed.size, failed.take('p', '1'), failed.take('p', '2'), failed.take('q', '3')]).toEqual([
      ...[2, false, true, false],
    ]);
    expect([failed.anyOf('p'), failed.take('p', '3'), failed.anyOf('p')]).toEqual([true, true, false]);
  });
});
