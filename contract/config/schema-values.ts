// The values a configuration is made of, as zod reads them: text with a unit, names, secrets. Each keeps the shape that
// is typed for the JSON Schema and turns it into what the program counts in.

import { z } from 'zod';
import { readAddress, readOrigin, readUpstreamUrl, readUrl } from './addresses.ts';
import { LITERAL_SECRET, readChannel, readSecret } from './secrets.ts';
import {
  type Read,
  readBudget,
  readDays,
  readDollars,
  readDuration,
  readPercent,
  readRequestRate,
  readSize,
  readTaskBudget,
  readTokenRate,
} from './units.ts';

interface Shown {
  readonly description?: string;
  /** As typed; the JSON Schema shows it, `defaults.ts` holds what it means. */
  readonly default?: string;
}

/** Text that `read` understands; its mistake becomes the problem's sentence. */
function textRead<Value>(read: (text: string) => Read<Value>, examples: readonly string[], error?: string) {
  return (shown: Shown = {}) =>
    z
      .string(error === undefined ? undefined : { error })
      .meta({ ...shown, examples: [...examples] })
      .transform((text, context) => {
        const result = read(text);
        if ('value' in result) return result.value;
        context.issues.push({ code: 'custom', message: result.mistake, input: undefined });
        return z.NEVER;
      });
}

const positive =
  (read: (text: string) => Read<number>) =>
  (text: string): Read<number> => {
    const result = read(text);
    return 'value' in result && result.value === 0 ? { mistake: 'must be more than zero' } : result;
  };

export const duration = textRead(readDuration, ['500ms', '30s', '10m', '2h']);
export const positiveDuration = textRead(positive(readDuration), ['500ms', '30s', '10m', '2h']);
export const days = textRead(positive(readDays), ['30d']);
export const size = textRead(positive(readSize), ['512KB', '32MB', '4GB']);
export const percent = textRead(readPercent, ['0%', '2.5%']);
export const dollars = textRead(readDollars, ['$0', '$10', '$0.005']);
export const requestRate = textRead(readRequestRate, ['60/minute']);
export const tokenRate = textRead(readTokenRate, ['200k/minute']);
export const url = textRead(readUrl, ['https://api.example.com/v1']);
export const origin = textRead(readOrigin, ['https://app.example']);
export const upstreamUrl = textRead(readUpstreamUrl, ['https://api.example.com/v1', 'stdio']);
export const address = textRead(
  (text) => {
    const read = readAddress(text);
    return 'value' in read ? { value: text.trim().toLowerCase() } : read;
  },
  ['127.0.0.1:4320'],
);
export const secret = textRead(readSecret, ['env:NAME', 'file:/run/secrets/name'], LITERAL_SECRET);
export const channel = textRead(readChannel, ['pagerduty env:PD_KEY', 'slack env:SLACK_URL'], LITERAL_SECRET);

const budgetList = (read: typeof readBudget, examples: readonly string[]) =>
  z.array(textRead(read, examples)(), { error: `must be a list, such as [${examples.join(', ')}]` });

export const budgets = z
  .union([z.literal('none'), budgetList(readBudget, ['$200/month', '5M tokens/day'])], {
    error: 'must be a list, such as [$200/month, 5M tokens/day], or none',
  })
  .meta({ description: 'Limits per calendar window; none says that nothing shall be limited here.' });
export const taskBudgets = budgetList(readTaskBudget, ['$10', '500k tokens']).meta({
  description: 'What one task may use.',
});

const NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;
const AGENT = /^(?!\.+$)[a-z0-9._*-]{1,64}$/;
const HEADER = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$/;
/** Headers that belong to the connection or the framing: a secret in one would change what the message is. */
const FRAMING = new Set([
  ...['connection', 'content-length', 'content-type', 'expect', 'host', 'keep-alive', 'te', 'trailer'],
  ...['transfer-encoding', 'upgrade'],
]);

export const name = z.string().regex(NAME, {
  error: 'a name is 1 to 64 of a-z, 0-9, ".", "_" and "-", and begins with a letter or digit',
});
export const agentName = z.string().regex(AGENT, {
  error: 'an agent id is 1 to 64 of a-z, 0-9, ".", "_" and "-"; a pattern may hold "*"',
});
export const header = z
  .string()
  .regex(HEADER, { error: 'this is not the name of a header' })
  .refine((text) => !FRAMING.has(text.toLowerCase()), { error: 'this header cannot carry a credential' })
  .transform((text) => text.toLowerCase());

/** A number whose own text is read later: prices are exact. */
export const exact = (description: string) => z.union([z.number(), z.string()]).meta({ description });

export const wholeNumber = (least: number, description: string) =>
  z
    .int({ error: 'must be a whole number' })
    .min(least, { error: `must be at least ${least}` })
    .meta({ description });

export const timezone = z
  .string()
  .refine(isTimezone, { error: 'this is not a time zone of the IANA list, such as UTC or Europe/Berlin' });

function isTimezone(text: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions().timeZone !== '';
  } catch (failure) {
    if (failure instanceof RangeError) return false;
    throw failure;
  }
}
