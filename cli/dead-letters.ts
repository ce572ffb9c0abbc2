// `outrider dead-letters`: what failed for good or may have happened, with all that is known of it; and the two ways out
// for a person: once more through the same door, or away with it.

import { parseArgs } from 'node:util';
import {
  DEAD_LETTER_STATES,
  type DeadLetter,
  type DeadLetterLine,
  type ReplayOrder,
  type ReplayQueued,
} from '../contract/dead-letter.ts';
import { sentenceOf } from '../kit/log.ts';
import { table } from '../kit/table.ts';
import { type CollectorClient, collectorClient } from './collector-client.ts';
import { EXIT, type Io, refuseIdleFlags, UsageError } from './command.ts';
import { letterText } from './dead-letters/text.ts';

const FLAG = '--even-if-it-may-have-happened';

export const help = `outrider dead-letters: calls that failed for good, or may have happened

Usage: outrider dead-letters [list] [--agent NAME] [--upstream NAME] [--state STATE] [--json]
       outrider dead-letters show ID [--json]
       outrider dead-letters replay ID… [${FLAG}]
       outrider dead-letters replay --all [--agent NAME] [--upstream NAME] [${FLAG}]
       outrider dead-letters discard ID… --reason TEXT
       outrider dead-letters discard --all [--agent NAME] [--upstream NAME] --reason TEXT

  ID                an id of the list, or its first six characters or more
  --state STATE     ${DEAD_LETTER_STATES.join(', ')} or all; open unless said
  replay            a sidecar of the agent carries it again, once, in the same task, under the rules and budgets of
                    now; it waits an hour for one that lives
  --all             every open letter that the other flags leave
  ${FLAG}
                    also what the upstream may have done already: look there first
  discard           close it, and erase what is kept of it
  --reason TEXT     kept on record, with who you are by your join token
  --json            the collector's answer as it came
  --collector URL   the control API (OUTRIDER_COLLECTOR; else http://127.0.0.1:4319)
  --data DIR        where the join token is (OUTRIDER_DATA; else ./.outrider), unless OUTRIDER_TOKEN holds it

Only what \`capture: { bodies: full }\` kept can be replayed.

Example: outrider dead-letters replay 3f9a1c --even-if-it-may-have-happened
`;

const OPTIONS = {
  agent: { type: 'string' },
  upstream: { type: 'string' },
  state: { type: 'string' },
  all: { type: 'boolean', default: false },
  'even-if-it-may-have-happened': { type: 'boolean', default: false },
  reason: { type: 'string' },
  json: { type: 'boolean', default: false },
  collector: { type: 'string' },
  data: { type: 'string' },
} as const;

const read = (args: readonly string[]) =>
  parseArgs({ args: [...args], allowPositionals: true, options: OPTIONS });

interface Asked {
  readonly rest: readonly string[];
  readonly values: ReturnType<typeof read>['values'];
  readonly collector: CollectorClient;
  readonly io: Io;
}

/** Which flags an action takes beside --json, --collector and --data. */
const TAKEN: Readonly<Record<string, readonly string[]>> = {
  list: ['agent', 'upstream', 'state'],
  replay: ['all', 'agent', 'upstream', 'even-if-it-may-have-happened'],
  discard: ['all', 'agent', 'upstream', 'reason'],
};

const ACTIONS: Readonly<Record<string, (asked: Asked) => Promise<number>>> = { list, show, replay, discard };

export async function run(args: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = read(args);
  const [name = 'list', ...rest] = positionals;
  const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
  if (!action)
    throw new UsageError(`Write \`outrider dead-letters ${Object.keys(ACTIONS).join('|')}\`; see --help.`);
  refuseIdleFlags(values, TAKEN[name] ?? [], `dead-letters ${name}`);
  return action({ rest, values, collector: collectorClient(values, io), io });
}

async function list({ rest, values, collector, io }: Asked): Promise<number> {
  if (rest.length > 0) throw new UsageError(`\`${rest[0]}\` is one word too many; see --help.`);
  const lines = await letters(collector, values);
  if (values.json) return printed(io, lines);
  if (lines.length === 0) io.stdout(`No dead letter is ${values.state ?? 'open'}.\n`);
  else io.stdout(table([HEAD, ...lines.map(cells)]));
  return EXIT.done;
}

const HEAD = ['ID', 'STATE', 'KIND', 'AGENT', 'TARGET', 'CALLS', 'LAST SEEN', 'WHY', 'REPLAY'];
const SHOWN_CHARACTERS = 12;
const WHY_CHARACTERS = 60;

function cells(line: DeadLetterLine): string[] {
  const { id, state, kind, agent, target, calls, folded, last_seen, replayable } = line;
  const many = folded > 0 ? `${calls} (+${folded})` : String(calls);
  const can = replayable ? 'possible' : 'no body';
  return [id.slice(0, SHOWN_CHARACTERS), state, kind, agent, target, many, last_seen, whyOf(line), can];
}

const whyOf = ({ message, error_type, http_status }: DeadLetterLine): string =>
  [http_status > 0 ? String(http_status) : '', message || error_type]
    .filter((part, index, parts) => part !== '' && parts.indexOf(part) === index)
    .join(' ')
    .slice(0, WHY_CHARACTERS);

function letters(collector: CollectorClient, { agent, upstream, state }: Asked['values']) {
  if (state !== undefined && ![...DEAD_LETTER_STATES, 'all'].includes(state))
    throw new UsageError(`--state is one of ${DEAD_LETTER_STATES.join(', ')} and all.`);
  const query = new URLSearchParams(
    Object.entries({ agent, upstream, state }).filter(
      (pair): pair is [string, string] => pair[1] !== undefined,
    ),
  );
  return collector.get<DeadLetterLine[]>(`/v1/dead-letters?${query}`);
}

async function show({ rest: [id, ...more], values, collector, io }: Asked): Promise<number> {
  if (id === undefined || more.length > 0)
    throw new UsageError('Say which: `outrider dead-letters show ID`.');
  const letter = await collector.get<DeadLetter>(`/v1/dead-letters/${encodeURIComponent(id)}`);
  if (values.json) return printed(io, letter);
  io.stdout(letterText(letter));
  return EXIT.done;
}

async function replay({ rest, values, collector, io }: Asked): Promise<number> {
  const ids = await named(rest, values, collector);
  const order: ReplayOrder = { even_if_it_may_have_happened: values['even-if-it-may-have-happened'] };
  return each(ids, io, values.json, async (id) => {
    const queued = await collector.post<ReplayQueued>(
      `/v1/dead-letters/${encodeURIComponent(id)}/replay`,
      order,
    );
    return { answer: queued, sentence: queuedSentence(queued) };
  });
}

function queuedSentence({ id, live, until }: ReplayQueued): string {
  const short = id.slice(0, SHOWN_CHARACTERS);
  if (live > 0)
    return `${short} is replayed now: \`outrider dead-letters show ${short}\` says what came of it.`;
  return `${short} waits for a sidecar of its agent, for none lives now; until ${until}.`;
}

async function discard({ rest, values, collector, io }: Asked): Promise<number> {
  const reason = values.reason?.trim();
  if (!reason) throw new UsageError('Say why with --reason TEXT: it is kept on record.');
  const ids = await named(rest, values, collector);
  return each(ids, io, values.json, async (id) => {
    const answer = await collector.post<object>(`/v1/dead-letters/${encodeURIComponent(id)}/discard`, {
      reason,
    });
    return { answer, sentence: `${id.slice(0, SHOWN_CHARACTERS)} is discarded.` };
  });
}

async function named(
  ids: readonly string[],
  values: Asked['values'],
  collector: CollectorClient,
): Promise<readonly string[]> {
  if (values.all === ids.length > 0) throw new UsageError('Name one or more ids, or say --all.');
  if (!values.all) return ids;
  return (await letters(collector, { ...values, state: 'open' })).map(({ id }) => id);
}

/** Each by itself: one that can't be does not keep the others. */
async function each(
  ids: readonly string[],
  io: Io,
  json: boolean,
  act: (id: string) => Promise<{ answer: unknown; sentence: string }>,
): Promise<number> {
  const answers: unknown[] = [];
  let failed = 0;
  for (const id of ids) {
    try {
      const { answer, sentence } = await act(id);
      answers.push(answer);
      if (!json) io.stdout(`${sentence}\n`);
    } catch (failure) {
      failed += 1;
      io.stderr(`${sentenceOf(failure)}\n`);
    }
  }
  if (json) printed(io, answers);
  else if (ids.length === 0) io.stdout('No dead letter is open.\n');
  return failed === 0 ? EXIT.done : EXIT.failed;
}

function printed(io: Io, answer: unknown): number {
  io.stdout(`${JSON.stringify(answer, null, 2)}\n`);
  return EXIT.done;
}
