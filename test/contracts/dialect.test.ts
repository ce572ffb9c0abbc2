// What every dialect promises, run over every golden example. Streams are read at every split of their bytes, long ones at
// those of `splits.ts`.

import { describe, expect, it } from 'vitest';
import type { Upstream } from '../../contract/config/config.ts';
import { REFUSAL_CODES, REFUSALS, Refusal, type RefusalCode } from '../../contract/refusals.ts';
import { parseStrict } from '../../kit/strict-json.ts';
import { a2a } from '../../sidecar/dialects/a2a.ts';
import { anthropic } from '../../sidecar/dialects/anthropic.ts';
import { bedrock } from '../../sidecar/dialects/bedrock.ts';
import type { Description, Dialect, JsonObject } from '../../sidecar/dialects/dialect.ts';
import { gemini } from '../../sidecar/dialects/gemini.ts';
import { http } from '../../sidecar/dialects/http.ts';
import { mcp } from '../../sidecar/dialects/mcp.ts';
import { applySplices } from '../../sidecar/dialects/members.ts';
import type { Metered } from '../../sidecar/dialects/metered.ts';
import { openai } from '../../sidecar/dialects/openai.ts';
import { type Golden, goldenCases } from './golden.ts';
import { splitsOf } from './splits.ts';

const DIALECTS: Readonly<Record<string, Dialect>> = {
  openai,
  anthropic,
  gemini,
  bedrock,
  mcp,
  a2a,
  http,
};

/** Where a dialect's error shape leaves no room for our own members, the place that says them. */
const SAID: Readonly<Record<string, (error: Record<string, unknown>) => unknown>> = {
  gemini: ({ message, details }) => ({ message, ...(details as { metadata: object }[])[0]!.metadata }),
  mcp: ({ data, ...error }) => ({ ...error, ...(data as object) }),
  a2a: ({ message, data }) => ({ message, ...(data as { metadata: object }[])[0]!.metadata }),
};

/** Statuses that a dialect's clients misread: a lost login, or something to try again. */
const MISREAD: Readonly<Record<string, (code: RefusalCode) => number | undefined>> = {
  anthropic: (code) => (REFUSALS[code].status === 403 ? 400 : undefined),
  bedrock: (code) => ({ no_credential: 424, upstream_timeout: 408 })[code as string],
};

const CASES = goldenCases().map((golden) => [`${golden.dialect}/${golden.name}`, golden] as const);

function described(golden: Golden): { dialect: Dialect; body: JsonObject; description: Description } {
  const dialect = DIALECTS[golden.dialect]!;
  const endpoint = dialect.recognise(golden.head)!;
  const body = endpoint.body ? (parseStrict(golden.requestBody) as JsonObject) : {};
  const description = dialect.describe(endpoint, golden.head, body, golden.requestBody);
  return { dialect, body, description };
}

function streamed(golden: Golden): boolean {
  const { dialect, description } = described(golden);
  return dialect.streams(golden.contentType, description);
}

interface Read {
  readonly passed: string;
  readonly metered: Metered;
}

function readStream(
  dialect: Dialect,
  description: Description,
  chunks: Buffer[],
  dropUsageChunk: boolean,
): Read {
  const meter = dialect.meterStream(description, { dropUsageChunk });
  const passed = chunks.map((chunk) => {
    const out = meter.push(chunk);
    if (!dropUsageChunk) expect(out).toBe(chunk);
    return out;
  });
  passed.push(meter.flush());
  return { passed: Buffer.concat(passed).toString('latin1'), metered: meter.metered() };
}

const latin1 = (text: string): string => Buffer.from(text).toString('latin1');

/** What the agent may see: all of it, or all but the usage chunk. */
function expectedBytes({ answerBody, expected }: Golden, dropUsageChunk: boolean): string {
  const all = answerBody.toString('latin1');
  const chunk = latin1(expected.usageChunk ?? '');
  if (!dropUsageChunk || chunk === '') return all;
  expect(all.split(chunk)).toHaveLength(2);
  return all.replace(chunk, () => latin1(expected.usageChunkKept ?? ''));
}

describe.each(CASES)('%s', (_, golden) => {
  const { expected } = golden;
  const streams = streamed(golden);

  it('is recognised and described', () => {
    const { description } = described(golden);
    expect(description.endpoint.name).toBe(expected.endpoint);
    expect(description).toMatchObject(expected.description ?? {});
    if (expected.unmeterable) expect(description.unmeterable).toMatch(/^[a-z]/);
  });

  if (expected.spliced !== undefined)
    it('is spliced byte-exactly', () => {
      const { dialect, body, description } = described(golden);
      const { outputTokens = null, upstream } = expected;
      const splices = dialect.splices(
        description,
        body,
        golden.requestBody,
        outputTokens,
        [],
        upstream && ({ ...upstream, speaks: dialect.name, pricedAs: null } as Upstream),
      );
      const spliced = applySplices(golden.requestBody, splices);
      expect(spliced.toString()).toBe(expected.spliced);
      if (description.endpoint.body) expect(() => parseStrict(spliced)).not.toThrow();
    });

  if (expected.metered && !streams)
    it('is metered whole', () => {
      const { dialect, description } = described(golden);
      const metered = dialect.meterWhole(description, golden.answerBody, golden.status < 300);
      expect(metered).toMatchObject(expected.metered!);
    });

  if (streams)
    it('SSE-01, 02: is metered alike at every split, and passes byte for byte', () => {
      const { dialect, description } = described(golden);
      const { answerBody } = golden;
      const drops = expected.usageChunk === undefined ? [false] : [false, true];
      for (const drop of drops) {
        const whole = readStream(dialect, description, [answerBody], drop);
        expect(whole.metered).toMatchObject(expected.metered!);
        expect(whole.passed).toBe(expectedBytes(golden, drop));
        for (const at of splitsOf(answerBody)) {
          const halves = [answerBody.subarray(0, at), Buffer.alloc(0), answerBody.subarray(at)];
          const read = readStream(dialect, description, halves, drop);
          if (read.passed !== whole.passed) expect.fail(`split at ${at}: other bytes`);
          expect(read.metered).toEqual(whole.metered);
        }
        const bytes = Array.from(answerBody, (_, at) => answerBody.subarray(at, at + 1));
        expect(readStream(dialect, description, bytes, drop)).toEqual(whole);
      }
    });
});

const CUTTABLE = CASES.filter(([, golden]) => {
  const metered = golden.expected.metered;
  return streamed(golden) && metered !== undefined && metered.complete !== false && !metered.errorType;
});

/** What the agent gets of a stream that is due to be cut after `at` bytes: its event ends first. Null where none is cut. */
function cutAfter(
  { dialect, description }: Pick<ReturnType<typeof described>, 'dialect' | 'description'>,
  { answerBody }: Golden,
  at: number,
  dropUsageChunk: boolean,
): Buffer | null {
  const meter = dialect.meterStream(description, { dropUsageChunk });
  const passed = [meter.push(answerBody.subarray(0, at))];
  let end = at;
  for (let tail = meter.unfinishedBytes(); tail > 0 && end < answerBody.length; end++) {
    const next = meter.push(answerBody.subarray(end, end + 1));
    tail = meter.unfinishedBytes();
    if (tail <= 1) passed.push(next.subarray(0, 1 - tail));
    else passed.push(next);
    if (tail <= 1) break;
  }
  const { outputBytesSeen, finishReasons } = meter.metered();
  const goesOn = outputBytesSeen > 0 && finishReasons.length < description.choices;
  return goesOn && meter.outputTokensSeen() > 0 ? Buffer.concat([...passed, meter.cut()]) : null;
}

describe.each(CUTTABLE)('%s, cut', (_, golden) => {
  it('at any byte is read as an answer that reached its limit', () => {
    const { answerBody, expected } = golden;
    const { dialect, description } = described(golden);
    for (const at of splitsOf(answerBody)) {
      for (const drop of expected.usageChunk === undefined ? [false] : [false, true]) {
        const got = cutAfter({ dialect, description }, golden, at, drop);
        if (got === null) continue;
        const { metered } = readStream(dialect, description, [got], false);
        const { complete, errorType, finishReasons } = metered;
        if (!complete || errorType !== null || finishReasons.length === 0)
          expect.fail(`cut at ${at}: ${JSON.stringify(metered)} of ${got.toString()}`);
      }
    }
  });
});

describe.each(Object.values(DIALECTS))('$name', (dialect) => {
  it('is one of the golden dialects', () => {
    expect(CASES.some(([name]) => name.startsWith(`${dialect.name}/`))).toBe(true);
  });

  it.each(REFUSAL_CODES)('refuses with %s', (code) => {
    const refusal = new Refusal(code, 'Something happened.', {
      reason: 'some_reason',
      facts: { limit: '$5.00' },
    });
    const { status, contentType, body } = dialect.refuse(refusal, { callId: 'call-1' });
    const answer = JSON.parse(body) as { error: Record<string, unknown>; request_id?: string };
    expect(contentType).toBe('application/json');
    expect(status).toBe(MISREAD[dialect.name]?.(code) ?? REFUSALS[code].status);
    const error = answer.error ?? (answer as Record<string, unknown>);
    const said = SAID[dialect.name]?.(error) ?? error;
    expect(said).toMatchObject({
      code,
      reason: 'some_reason',
      limit: '$5.00',
      message: `Something happened. ${REFUSALS[code].advice}`,
    });
    expect(body).toContain('"call-1"');
  });

  it('lets no fact of a refusal replace what clients read', () => {
    const facts = { message: 'x', code: 'x' };
    const { body } = dialect.refuse(new Refusal('prohibited', 'No.', { facts }), { callId: 'call-1' });
    expect(body).not.toContain('"x"');
  });

  it('strips every place of a credential, and names one for ours', () => {
    const [name, value] = dialect.credentialHeader('s3cret', {
      name: 'u',
      url: 'https://provider.example',
      pricedAs: null,
    } as Upstream);
    expect(dialect.credentialHeaders).toContain(name);
    expect(value).toContain('s3cret');
    for (const place of [
      'authorization',
      'x-api-key',
      'api-key',
      'x-goog-api-key',
      'cookie',
      'proxy-authorization',
    ]) {
      expect(dialect.credentialHeaders).toContain(place);
    }
  });
});
