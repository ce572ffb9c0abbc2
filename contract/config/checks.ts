// What no single value shows: two settings that contradict each other, and values that are well-formed but never right.

import { isLoopback, readAddress, STDIO } from './addresses.ts';
import type { Budget } from './config.ts';
import { AUDIT_DAYS_MIN, BREAKERS_DEFAULT, LIMITS_DEFAULT, LISTEN_DEFAULT } from './defaults.ts';
import { type Problem, problemAt } from './problems.ts';
import type { FileConfig } from './schema.ts';
import { LITERAL_SECRET, readSecret } from './secrets.ts';
import { keyPlace, type MapTree, type Path, valuePlace } from './tree.ts';

type Report = (path: Path, message: string) => void;

export function checkWhole(file: FileConfig, tree: MapTree): Problem[] {
  const problems: Problem[] = [];
  const report: Report = (path, message) => void problems.push(problemAt(valuePlace(tree, path), message));
  checkBudgets(file, report);
  checkListen(file.listen, report);
  checkLimits(file, report);
  checkStore(file.store, report);
  checkExports(file.export, report);
  checkAnchors(file.audit?.anchors, report);
  for (const [name, upstream] of Object.entries(file.upstreams ?? {})) {
    checkStdio(name, upstream, report);
    if (upstream.timeout === undefined || upstream.timeouts?.total === undefined) continue;
    const place = keyPlace(tree, ['upstreams', name, 'timeout']);
    problems.push(problemAt(place, '"timeout" and "timeouts.total" say the same: remove one'));
  }
  return problems;
}

/** A command has no address that another dialect or a credential could be for. */
function checkStdio(
  name: string,
  { url, speaks, credential }: NonNullable<FileConfig['upstreams']>[string],
  report: Report,
): void {
  if (url !== STDIO) return;
  if (speaks !== 'mcp') report(['upstreams', name, 'url'], 'only an upstream that speaks mcp can be stdio');
  if (credential !== undefined)
    report(
      ['upstreams', name, 'credential'],
      'stdio has no place for a credential: give it to the server by its environment',
    );
}

function checkBudgets(file: FileConfig, report: Report): void {
  const twice = (budgets: FileConfig['budgets'], path: Path) => {
    const seen = new Set<string>();
    for (const [index, { unit, window }] of (budgets === 'none' ? [] : (budgets ?? [])).entries()) {
      const kind = kindOf({ unit, window });
      if (seen.has(kind)) report([...path, index], `there is already a limit in ${kind}`);
      seen.add(kind);
    }
  };
  twice(file.budgets, ['budgets']);
  for (const [name, { budgets }] of Object.entries(file.departments ?? {})) {
    twice(budgets, ['departments', name, 'budgets']);
  }
  for (const [name, agent] of Object.entries(file.agents ?? {})) {
    twice(agent.budgets, ['agents', name, 'budgets']);
    twice(agent.task_budgets, ['agents', name, 'task_budgets']);
  }
}

function checkExports(exports: FileConfig['export'], report: Report): void {
  const seen = new Set<string>();
  for (const [index, { otlp }] of (exports ?? []).entries()) {
    if (seen.has(otlp)) report(['export', index, 'otlp'], `${otlp} already gets every span`);
    seen.add(otlp);
  }
}

function checkAnchors(anchors: NonNullable<FileConfig['audit']>['anchors'], report: Report): void {
  const seen = new Set<string>();
  for (const [index, { directory, command }] of (anchors ?? []).entries()) {
    const path = ['audit', 'anchors', index];
    if ((directory === undefined) === (command === undefined))
      report(path, 'an anchor is { directory: /path } or { command: [program, argument] }');
    if (directory === undefined) continue;
    if (!directory.startsWith('/'))
      report([...path, 'directory'], 'a directory for checkpoints is named by its absolute path');
    if (seen.has(directory)) report([...path, 'directory'], `${directory} already gets every checkpoint`);
    seen.add(directory);
  }
}

const kindOf = ({ unit, window }: Pick<Budget, 'unit' | 'window'>): string =>
  `${unit === 'tokens' ? 'tokens' : 'dollars'} per ${window}`;

function checkListen(listen: FileConfig['listen'], report: Report): void {
  const { insecure: _, otlpGrpc, ...others } = LISTEN_DEFAULT;
  const defaults = { ...others, otlp_grpc: otlpGrpc };
  const taken = new Map<string, string>();
  for (const [name, fallback] of Object.entries(defaults)) {
    const text = listen?.[name as keyof typeof defaults] ?? fallback;
    const read = readAddress(text);
    if ('mistake' in read) continue;
    const { host, port } = read.value;
    if (!isLoopback(host) && listen?.insecure !== true) {
      report(
        ['listen', name],
        `${text} can be reached from elsewhere: listen on 127.0.0.1, or set listen.insecure: true`,
      );
    }
    const other = taken.get(text);
    if (other !== undefined && port !== 0)
      report(['listen', name], `${text} is already taken by listen.${other}`);
    else taken.set(text, name);
  }
}

function checkLimits({ retention, breakers, limits }: FileConfig, report: Report): void {
  if (retention?.audit !== undefined && retention.audit < AUDIT_DAYS_MIN) {
    report(['retention', 'audit'], `audit records are kept for at least ${AUDIT_DAYS_MIN}d`);
  }
  const cooldown = breakers?.cooldown ?? BREAKERS_DEFAULT.cooldownMs;
  if ((breakers?.cooldown_max ?? BREAKERS_DEFAULT.cooldownMsMax) < cooldown) {
    report(
      ['breakers', breakers?.cooldown_max ? 'cooldown_max' : 'cooldown'],
      '"cooldown_max" is less than "cooldown"',
    );
  }
  const body = limits?.body ?? LIMITS_DEFAULT.bodyBytesMax;
  if ((limits?.bodies_in_flight ?? LIMITS_DEFAULT.bodyBytesInFlightMax) < body) {
    report(
      ['limits', limits?.bodies_in_flight ? 'bodies_in_flight' : 'body'],
      '"bodies_in_flight" is less than "body"',
    );
  }
}

function checkStore(store: FileConfig['store'], report: Report): void {
  const schemes = { clickhouse: ['http:', 'https:'], postgres: ['postgres:', 'postgresql:'] } as const;
  for (const [name, allowed] of Object.entries(schemes)) {
    const text = store?.[name as keyof typeof schemes];
    if (text === undefined || text === 'embedded') continue;
    // A URL with a password in it is read from where a secret is.
    if ('value' in readSecret(text)) continue;
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (url?.password || url?.searchParams.has('password')) report(['store', name], LITERAL_SECRET);
    else if (!url || !allowed.some((scheme) => scheme === url.protocol)) {
      report(['store', name], `"${name}" is embedded, or a url that begins with ${allowed[0]}//`);
    }
  }
  if (store?.cluster === undefined) return;
  if (!/^[\w.-]+$/.test(store.cluster))
    report(['store', 'cluster'], 'a cluster is named by letters, digits, "_", "-" and "."');
  if ((store.clickhouse ?? 'embedded') === 'embedded')
    report(['store', 'cluster'], '"cluster" is of a ClickHouse server: name it with "clickhouse"');
}
