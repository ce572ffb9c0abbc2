// The one entry of the command line: finds the command, runs it, exits with its code. A command is imported only when
// it is called, so that `outrider sidecar` never loads what only a collector needs.
// Exit codes: 0 done, 1 refused or failed, 2 bad usage, 78 bad config.

import { sentenceOf } from '../kit/log.ts';
import { type Command, type Io, UsageError } from './command.ts';

const COMMANDS: Readonly<Record<string, { readonly line: string; load(): Promise<Command> }>> = {
  up: { line: 'collector and sidecar together', load: () => import('./up.ts') },
  sidecar: { line: "one agent's way out", load: () => import('./sidecar.ts') },
  collector: { line: "the fleet's ledger and memory", load: () => import('./collector.ts') },
  run: { line: 'a command with a sidecar of its own', load: () => import('./run.ts') },
  env: { line: 'the variables that point an agent at its sidecar', load: () => import('./env.ts') },
  sql: { line: 'ask the store a question', load: () => import('./sql.ts') },
  policy: { line: 'check the config, explain a decision', load: () => import('./policy.ts') },
  demo: { line: 'a fleet of twenty agents on fake providers', load: () => import('./demo.ts') },
