// How long each provider asks to be left alone, line by line; the time is 2026-01-05T00:00:00Z.

import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { a2a } from '../../../sidecar/dialects/a2a.ts';
import { anthropic } from '../../../sidecar/dialects/anthropic.ts';
import { bedrock } from '../../../sidecar/dialects/bedrock.ts';
import type { Json } from '../../../sidecar/dialects/dialect.ts';
import { gemini } from '../../../sidecar/dialects/gemini.ts';
import { http } from '../../../sidecar/dialects/http.ts';
import { mcp } from '../../../sidecar/dialects/mcp.ts';
import { openai } from '../../../sidecar/dialects/openai.ts';

const DIALECTS = { a2a, anthropic, bedrock, gemini, http, mcp, openai };
const NOW_MS = Date.UTC(2026, 0, 5);

interface Line {
  readonly id: string;
  readonly dialect: keyof typeof DIALECTS;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Json;
  readonly waitMs: number | null;
  readonly spent: boolean;
}

const lines = readFileSync(new URL('../../cases/throttles.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Line);

it.each(lines)('$id', ({ dialect, headers, body, waitMs, spent }) => {
  const head = { header: (name: string) => headers[name] };
  expect(DIALECTS[dialect].throttle(head, body, NOW_MS)).toEqual({ waitMs, spent });
});
