// `outrider policy`: asks about the rules without running anything: is the file right, what becomes of a call, which
// rules cover what was done, what would another file change.

import { parseArgs } from 'node:util';
import { ConfigError, formatProblem } from '../contract/config/problems.ts';
import { EXIT, type Io, UsageError } from './command.ts';
import { json, POLICY_OPTIONS } from './policy/flags.ts';

export const help = `outrider policy check   [--config F] [--json]
outrider policy explain --agent NAME SUBJECT [--args JSON] [--config F] [--json]
outrider policy suggest --agent NAME [--since 7d] [--config F] [--url SQL] [--json]
outrider policy diff    OLD NEW [--agent NAME] [--since 7d] [--url SQL] [--json]

check     reads the configuration as a start would: all mistakes at once, or what is worth knowing.
explain   says what becomes of a call, by which rule, and where that rule is written.
suggest   writes the smallest rules that cover what the agent did since then, as a role ready to paste or include.
diff      judges what was done since then by two files: what would be refused, or allowed, that was not before.

  --agent NAME   an agent, or an entry of the config with * for all agents it rules
  --since TIME   7d, 12h, or a day such as 2026-11-14
  --url SQL      the collector's SQL door (else OUTRIDER_SQL, else http://127.0.0.1:8123)

Examples:
  outrider policy check --config outrider.yaml
  outrider policy explain --agent trend-scout 'llm openai/gpt-5-mini'
  outrider policy explain --agent trend-scout 'mcp files/write_page' --args '{"path":"/drafts/a.md"}'
  outrider policy suggest --agent trend-scout --since 7d > trend-scout.yaml
  outrider policy diff outrider.yaml next.yaml --since 30d

Exit: 0 done, or the call may pass; 1 the call is refused, or something that passes under OLD is refused under NEW;
2 bad usage; 78 bad configuration.
`;

/** Throws only what is no mistake of the user's configuration or command line; returns the exit code. */
export async function run(args: readonly string[], io: Io): Promise<number> {
  try {
    const { values, positionals } = readArguments(args);
    const [command, ...rest] = positionals;
    if (values.help) {
      io.stdout(help);
      return EXIT.done;
    }
    if (command === 'check' && rest.length === 0)
      return await (await import('./policy/check.ts')).check(values, io);
    if (command === 'explain') return await (await import('./policy/explain.ts')).explain(values, rest, io);
    if (command === 'suggest')
      return await (await import('./policy/suggest.ts')).suggestRole(values, rest, io);
    if (command === 'diff') return await (await import('./policy/diff.ts')).diff(values, rest, io);
    throw new UsageError(`outrider policy takes check, explain, suggest or diff: see outrider policy --help`);
  } catch (failure) {
    if (!(failure instanceof UsageError) && !(failure instanceof ConfigError)) throw failure;
    return failure instanceof ConfigError
      ? reportMistakes(failure, args.includes('--json'), io)
      : badUsage(failure, io);
  }
}

function readArguments(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: POLICY_OPTIONS, allowPositionals: true });
  } catch (failure) {
    throw new UsageError(failure instanceof Error ? failure.message : String(failure));
  }
}

function reportMistakes(failure: ConfigError, asJson: boolean, io: Io): number {
  if (asJson) io.stdout(json({ ok: false, problems: failure.problems }));
  else io.stderr(`${failure.problems.map(formatProblem).join('\n')}\n`);
  return EXIT.config;
}

function badUsage(failure: UsageError, io: Io): number {
  io.stderr(`${failure.message}\n`);
  return EXIT.usage;
}
