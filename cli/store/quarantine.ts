// `outrider store quarantine list|load`: what the store could not take, and having it taken once the cause is mended.

import {
  type LoadAgainAnswer,
  type LoadAgainOrder,
  SET_ASIDE_LISTED_MAX,
  type SetAsideLine,
} from '../../contract/set-aside.ts';
import { table } from '../../kit/table.ts';
import { EXIT, refuseIdleFlags, UsageError } from '../command.ts';
import { print, type StoreAsked } from './flags.ts';

const PATH = '/v1/store/quarantine';
const POLL_MS = 500;
/** A store that is away may be so for days: whoever asked need not wait for it. */
const WAIT_MS = 60_000;

const ACTIONS: Readonly<Record<string, (asked: StoreAsked) => Promise<number>>> = { list, load };

export async function quarantine(asked: StoreAsked): Promise<number> {
  const [name = 'list', ...rest] = asked.rest;
  const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
  if (!action)
    throw new UsageError(
      'Write `outrider store quarantine list` or `outrider store quarantine load ID…|all`; agents are held apart by `outrider quarantine`.',
    );
  refuseIdleFlags({ ...asked.values }, [], `store quarantine ${name}`);
  return action({ ...asked, rest });
}

async function list(asked: StoreAsked): Promise<number> {
  if (asked.rest.length > 0) throw new UsageError(`\`${asked.rest[0]}\` is one word too many; see --help.`);
  const lines = await listed(asked);
  print(asked, lines, () =>
    lines.length === 0 ? 'Nothing is set aside.\n' : table([HEAD, ...lines.map(cells)]),
  );
  return EXIT.done;
}

/** Says so where there may be more. */
async function listed({ collector, io }: StoreAsked): Promise<readonly SetAsideLine[]> {
  const lines = await collector.get<SetAsideLine[]>(PATH);
  if (lines.length >= SET_ASIDE_LISTED_MAX)
    io.stderr(
      `These are the oldest ${lines.length}: once they are loaded, ask again for those behind them.\n`,
    );
  return lines;
}

const HEAD = ['ID', 'WHAT', 'SIGNAL', 'BYTES', 'FROM', 'RECEIVED', 'SET ASIDE', 'REASON'];
const cells = (line: SetAsideLine): string[] => [
  line.id,
  line.comes_as === null ? line.kind : 'waits to be loaded',
  line.signal,
  String(line.bytes),
  line.sender === null ? '' : line.sender || 'nobody known',
  line.received_at ?? '',
  line.set_aside_at,
  line.reason,
];

async function load(asked: StoreAsked): Promise<number> {
  const ids = await idsOf(asked);
  const { waiting } =
    ids.length === 0
      ? { waiting: [] }
      : await asked.collector.post<LoadAgainAnswer>(`${PATH}/load`, { ids } satisfies LoadAgainOrder);
  const left = await settled(asked, waiting);
  const still = left.filter(({ comes_as }) => comes_as !== null);
  const refused = left.filter(({ comes_as }) => comes_as === null);
  const answer = { loaded: waiting.length - left.length, waiting: still, refused };
  print(asked, answer, () => sentencesOf(answer));
  return refused.length === 0 ? EXIT.done : EXIT.failed;
}

async function idsOf(asked: StoreAsked): Promise<readonly string[]> {
  const { rest } = asked;
  if (rest.length === 0)
    throw new UsageError('Say which: `outrider store quarantine load ID…`, or all of them with `all`.');
  if (rest.length > 1 || rest[0] !== 'all') return rest;
  const lines = await listed(asked);
  return lines.filter(({ kind }) => kind === 'message').map(({ id }) => id);
}

/** What of `waiting` lies there still, once none of it is to be loaded any more, or it took too long. */
async function settled(
  { collector }: StoreAsked,
  waiting: LoadAgainAnswer['waiting'],
): Promise<readonly SetAsideLine[]> {
  const ours = new Set(waiting.flatMap(({ id, comes_as }) => [id, comes_as]));
  if (ours.size === 0) return [];
  for (let waitedMs = 0; ; waitedMs += POLL_MS) {
    const left = (await collector.get<SetAsideLine[]>(PATH)).filter(({ id }) => ours.has(id));
    if (waitedMs >= WAIT_MS || left.every(({ comes_as }) => comes_as === null)) return left;
    await new Promise((resume) => setTimeout(resume, POLL_MS));
  }
}

interface Answer {
  readonly loaded: number;
  readonly waiting: readonly SetAsideLine[];
  readonly refused: readonly SetAsideLine[];
}

const sentencesOf = ({ loaded, waiting, refused }: Answer): string =>
  [
    `Loaded ${loaded} ${loaded === 1 ? 'message' : 'messages'}.`,
    ...waiting.map(({ id }) => `${id} waits in the queue: the store has not come to it yet.`),
    ...refused.map(({ id, reason }) => `${id} was refused again: ${reason}`),
  ]
    .map((line) => `${line}\n`)
    .join('');
