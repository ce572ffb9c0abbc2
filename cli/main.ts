// The one entry of the command line: finds the command, runs it, exits with its code. A command is imported only when
// it is called, so that `outrider sidecar` never loads what only a collector needs.
// Exit codes: 0 done, 1 refused or failed, 2 bad usage, 78 bad config.

import { sentenceOf } from '../kit/log.ts';
import { type Command, type Io, UsageError } from './command.ts';
import { keepInspectorClosed, leaveAgentsProxy, refuseWeakSurroundings } from './surroundings.ts';
import { withTokenFile } from './token-file.ts';

const COMMANDS: Readonly<Record<string, { readonly line: string; load(): Promise<Command> }>> = {
  up: { line: 'collector and sidecar together', load: () => import('./up.ts') },
  sidecar: { line: "one agent's way out", load: () => import('./sidecar.ts') },
  collector: { line: "the fleet's ledger and memory", load: () => import('./collector.ts') },
  run: { line: 'a command with a sidecar of its own', load: () => import('./run.ts') },
  mcp: { line: 'a tool server over stdin and stdout, behind the rules', load: () => import('./mcp.ts') },
  env: { line: 'the variables that point an agent at its sidecar', load: () => import('./env.ts') },
  ca: { line: 'the certificate by which agents trust their sidecar', load: () => import('./ca.ts') },
  sql: { line: 'ask the store a question', load: () => import('./sql.ts') },
  policy: { line: 'check, explain, suggest and compare rules', load: () => import('./policy.ts') },
  demo: { line: 'a fleet of twenty agents on fake providers', load: () => import('./demo.ts') },
  mode: { line: 'let an agent observe or enforce for a while', load: () => import('./mode.ts') },
  quarantine: { line: 'hold an agent, or what agents use, apart', load: () => import('./quarantine.ts') },
  tokens: { line: 'who may come to the collector, as what', load: () => import('./tokens.ts') },
  tools: { line: 'which definition of each tool holds', load: () => import('./tools.ts') },
  console: { line: 'a link that opens the console', load: () => import('./console.ts') },
  store: { line: 'back up what the collector knows, and restore it', load: () => import('./store.ts') },
  budgets: { line: 'what is spent, held and left', load: () => import('./budgets.ts') },
  'dead-letters': {
    line: 'what failed for good or may have happened',
    load: () => import('./dead-letters.ts'),
  },
  alerts: { line: 'what is wrong, who knows, who has it', load: () => import('./alerts.ts') },
  audit: {
    line: 'prove what was done, and that nothing was changed since',
    load: () => import('./audit.ts'),
  },
};

/** Calls and their records pass through these. */
const CARRYING = new Set(['up', 'sidecar', 'collector', 'run']);

const HELP = `outrider: a sidecar for every agent, one ledger and one memory for the fleet

Usage: outrider <command> [options]

${Object.entries(COMMANDS)
  .map(([name, { line }]) => `  ${name.padEnd(12)} ${line}`)
  .join('\n')}

Example: outrider up --config outrider.yaml
Each command says more with --help.
`;

async function main(argv: readonly string[]): Promise<number> {
  keepInspectorClosed();
  const io: Io = {
    stdout: (text) => void process.stdout.write(text),
    stderr: (text) => void process.stderr.write(text),
    env: process.env,
  };
  const [name, ...args] = argv;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    io.stdout(HELP);
    return name === undefined ? 2 : 0;
  }
  if (name === '--version') {
    const { default: own } = await import('../package.json', { with: { type: 'json' } });
    io.stdout(`${own.version}\n`);
    return 0;
  }
  const found = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!found) {
    io.stderr(`There is no command \`${name}\`; known are ${Object.keys(COMMANDS).join(', ')}.\n`);
    return 2;
  }
  const command = await found.load();
  const own = args.indexOf('--') < 0 ? args : args.slice(0, args.indexOf('--'));
  if (own.includes('--help') || own.includes('-h')) {
    io.stdout(command.help);
    return 0;
  }
  try {
    if (CARRYING.has(name)) refuseWeakSurroundings(io);
    await leaveAgentsProxy(io);
    return await command.run(args, { ...io, env: withTokenFile(io.env) });
  } catch (failure) {
    const misread = isParseArgsError(failure);
    io.stderr(`${misread ? misreadSentence(sentenceOf(failure), name) : sentenceOf(failure)}\n`);
    return failure instanceof UsageError || misread ? 2 : 1;
  }
}

const isParseArgsError = (failure: unknown): boolean =>
  failure instanceof Error && 'code' in failure && String(failure.code).startsWith('ERR_PARSE_ARGS');

/** Of what Node says, its first sentence: it goes on about dashes. */
const misreadSentence = (text: string, command: string): string =>
  `${text.split(/\.?\n|\. /, 1)[0]!.replace(/\.$/, '')}: \`outrider ${command} --help\` says what it takes.`;

process.exitCode = await main(process.argv.slice(2));
