// A file whose shapes are right becomes a Config: defaults filled in, rules parsed, maps built. Section by section, in
// the order of the file's documentation.

import type { CompileCondition } from '../rules/condition.ts';
import type {
  Agent,
  AuditAnchor,
  Config,
  ConfigSource,
  Credential,
  Listen,
  RateLimit,
  Role,
  Timeouts,
  Upstream,
} from './config.ts';
import {
  ALERTS_DEFAULT,
  ANCHOR_EVERY_MS_DEFAULT,
  AUDIT_DEFAULT,
  BREAKERS_DEFAULT,
  COLLECTOR_DEFAULT,
  DRAIN_MS_DEFAULT,
  FLEET_DEFAULT,
  JOURNAL_DEFAULT,
  LIMITS_DEFAULT,
  LISTEN_DEFAULT,
  MONEY_DEFAULT,
  OTLP_DEFAULT,
  QUARANTINE_DEFAULT,
  RETENTION_DEFAULT,
  RETRIES_DEFAULT,
  SLOW_RATE_DEFAULT,
  STORE_DEFAULT,
  TIMEOUTS_DEFAULT,
  TIMEZONE_DEFAULT,
} from './defaults.ts';
import { resolvePrices } from './prices.ts';
import type { Problem } from './problems.ts';
import { type RuleReader, resolveRules } from './resolve-rules.ts';
import type { FileConfig } from './schema.ts';
import { type MapTree, namesAt, nodeAt } from './tree.ts';

export interface Resolving {
  readonly tree: MapTree;
  readonly problems: Problem[];
  readonly compileCondition: CompileCondition | undefined;
  readonly digest: string;
  readonly sources: readonly ConfigSource[];
}

type Files<Section extends keyof FileConfig> = NonNullable<FileConfig[Section]>;
type Named = 'departments' | 'owners' | 'upstreams' | 'credentials' | 'roles' | 'agents';
type FileUpstream = Files<'upstreams'>[string];
type FileRole = Files<'roles'>[string];
type FileAnchor = NonNullable<Files<'audit'>['anchors']>[number];
type FileAgent = Files<'agents'>[string];

export function resolveConfig(file: FileConfig, resolving: Resolving): Config {
  const { tree, problems, digest, sources } = resolving;
  const mapOf = mapper(file, tree);
  const timeouts = resolveTimeouts(file.timeouts, TIMEOUTS_DEFAULT);
  const upstreams = mapOf('upstreams', (upstream, name) => resolveUpstream(name, upstream, timeouts));
  const broken = [...namesAt(tree, ['upstreams'])].map((name) => [name, undefined] as const);
  const reader: RuleReader = { ...resolving, upstreams: new Map([...broken, ...upstreams]) };
  return {
    fleet: file.fleet ?? FLEET_DEFAULT,
    mode: file.mode ?? 'enforce',
    budgets: limited(file.budgets),
    budgetsWarned: file.budgets !== 'none',
    prohibited: resolveRules(file.prohibited, ['prohibited'], reader),
    departments: mapOf('departments', ({ budgets }) => ({ budgets: limited(budgets) })),
    owners: mapOf('owners', (channels) => defined(channels)),
    upstreams,
    credentials: mapOf('credentials', (credential, name) => resolveCredential(name, credential)),
    roles: mapOf('roles', (role, name) => resolveRole(name, role, reader)),
    agents: mapOf('agents', (agent, name) => resolveAgent(name, agent, tree)),
    breakers: resolveBreakers(file.breakers),
    quarantine: resolveQuarantine(file.quarantine),
    money: resolveMoney(file.money),
    retries: resolveRetries(file.retries),
    timeouts,
    limits: {
      bodyBytesMax: file.limits?.body ?? LIMITS_DEFAULT.bodyBytesMax,
      bodyBytesInFlightMax: file.limits?.bodies_in_flight ?? LIMITS_DEFAULT.bodyBytesInFlightMax,
    },
    journal: {
      durability: file.journal?.durability ?? JOURNAL_DEFAULT.durability,
      sizeBytesMax: file.journal?.size ?? JOURNAL_DEFAULT.sizeBytesMax,
    },
    drainMs: file.drain ?? DRAIN_MS_DEFAULT,
    prices: resolvePrices(file, tree, problems),
    alerts: { ...ALERTS_DEFAULT, ...defined(file.alerts ?? {}) },
    export: (file.export ?? []).map(({ otlp, headers, bodies }) => ({
      url: otlp,
      headers: headers ?? {},
      bodies: bodies ?? 'none',
    })),
    retention: {
      tracesDays: file.retention?.traces ?? RETENTION_DEFAULT.tracesDays,
      auditDays: file.retention?.audit ?? RETENTION_DEFAULT.auditDays,
      bodiesDays: file.retention?.bodies ?? RETENTION_DEFAULT.bodiesDays,
    },
    audit: resolveAudit(file.audit),
    captureBodies: file.capture?.bodies ?? 'hash',
    listen: resolveListen(file.listen ?? {}),
    otlp: {
      allowedOrigins: file.otlp?.allowed_origins ?? OTLP_DEFAULT.allowedOrigins,
      tokens: file.otlp?.tokens ?? OTLP_DEFAULT.tokens,
    },
    store: { ...STORE_DEFAULT, ...defined(file.store ?? {}) },
    collector: file.collector ?? COLLECTOR_DEFAULT,
    timezone: file.timezone ?? TIMEZONE_DEFAULT,
    digest,
    sources,
  };
}

/** Who takes a free port for one OTLP door runs beside others, and wants no fixed one for the other. */
function resolveListen({ otlp_grpc, ...rest }: NonNullable<FileConfig['listen']>): Listen {
  const listen = { ...LISTEN_DEFAULT, ...defined(rest) };
  const otherwise = listen.otlp.endsWith(':0') ? '127.0.0.1:0' : LISTEN_DEFAULT.otlpGrpc;
  return { ...listen, otlpGrpc: otlp_grpc ?? otherwise };
}

function resolveTimeouts(file: FileConfig['timeouts'], fallback: Timeouts): Timeouts {
  return {
    connectMs: file?.connect ?? fallback.connectMs,
    firstByteMs: file?.first_byte ?? fallback.firstByteMs,
    idleMs: file?.idle ?? fallback.idleMs,
    totalMs: file?.total ?? fallback.totalMs,
  };
}

function resolveUpstream(name: string, file: FileUpstream, fallback: Timeouts): Upstream {
  const timeouts = resolveTimeouts(file.timeouts, fallback);
  return {
    name,
    url: file.url,
    speaks: file.speaks,
    credential: file.credential ?? null,
    pricedAs: file.priced_as ?? null,
    rates: ratesOf(file.limits),
    timeouts: file.timeout === undefined ? timeouts : { ...timeouts, totalMs: file.timeout },
    declared: true,
  };
}

function resolveCredential(name: string, file: Files<'credentials'>[string]): Credential {
  return { name, secret: file.from, header: file.header ?? null };
}

function resolveRole(name: string, file: FileRole, reader: RuleReader): Role {
  const rules = (list: 'allow' | 'notify' | 'ask' | 'deny') =>
    resolveRules(file[list], ['roles', name, list], reader);
  return {
    name,
    mode: file.mode ?? null,
    allow: rules('allow'),
    notify: rules('notify'),
    ask: rules('ask'),
    deny: rules('deny'),
    limits: {
      maxOutputTokens: file.limits?.max_output_tokens ?? null,
      rates: ratesOf(file.limits),
    },
    fallback: file.fallback ?? [],
    captureBodies: file.capture?.bodies ?? null,
  };
}

function resolveAgent(pattern: string, file: FileAgent, tree: MapTree): Agent {
  return {
    pattern,
    roles: typeof file.role === 'string' ? [file.role] : (file.role ?? []),
    mode: file.mode ?? null,
    department: file.department ?? null,
    owner: file.owner ?? null,
    version: file.version === undefined ? null : versionOf(pattern, tree),
    budgets: limited(file.budgets),
    taskBudgets: file.task_budgets ?? [],
    rates: ratesOf(file.limits),
    expectedTaskMs: file.expected_task ?? null,
    key: file.key ?? null,
    credentials: new Map(Object.entries(file.credentials ?? {})),
  };
}

const ratesOf = (limits: FileAgent['limits']): readonly RateLimit[] =>
  [limits?.requests, limits?.tokens].filter((rate) => rate !== undefined);

/** As typed: `1.10` is no number. */
function versionOf(pattern: string, tree: MapTree): string | null {
  const node = nodeAt(tree, ['agents', pattern, 'version']);
  return node?.kind === 'scalar' ? node.text : null;
}

function resolveBreakers(file: FileConfig['breakers']): Config['breakers'] {
  return {
    windowMs: file?.window ?? BREAKERS_DEFAULT.windowMs,
    failureRate: file?.failure_rate ?? BREAKERS_DEFAULT.failureRate,
    callsMin: file?.min_calls ?? BREAKERS_DEFAULT.callsMin,
    cooldownMs: file?.cooldown ?? BREAKERS_DEFAULT.cooldownMs,
    cooldownMsMax: file?.cooldown_max ?? BREAKERS_DEFAULT.cooldownMsMax,
    trials: file?.trials ?? BREAKERS_DEFAULT.trials,
    slow: file?.slow
      ? { firstTokenMs: file.slow.first_token, rate: file.slow.rate ?? SLOW_RATE_DEFAULT }
      : BREAKERS_DEFAULT.slow,
  };
}

function resolveQuarantine(file: FileConfig['quarantine']): Config['quarantine'] {
  const { failureRate, sameCalls, tokensPerMinute, tokensTimes, ...rest } = QUARANTINE_DEFAULT;
  const perMinute = file?.tokens && (file.tokens.count * 60_000) / file.tokens.windowMs;
  return {
    action: file?.degraded ?? rest.action,
    forMs: file?.for ?? rest.forMs,
    windowMs: file?.window ?? rest.windowMs,
    failureRate: noneOr(file?.failure_rate, failureRate),
    callsMin: file?.min_calls ?? rest.callsMin,
    sameCalls: noneOr(file?.same_calls, sameCalls),
    tokensPerMinute: perMinute ?? tokensPerMinute,
    tokensTimes: noneOr(file?.tokens_times, tokensTimes),
  };
}

const noneOr = (value: number | 'none' | undefined, fallback: number | null): number | null =>
  value === 'none' ? null : (value ?? fallback);

function resolveMoney(file: FileConfig['money']): Config['money'] {
  return {
    gracePercent: file?.grace ?? MONEY_DEFAULT.gracePercent,
    holdWaitMs: file?.hold_wait ?? MONEY_DEFAULT.holdWaitMs,
    offlineNanodollars: file?.offline ?? MONEY_DEFAULT.offlineNanodollars,
    unknownPrice: file?.unknown_price ?? MONEY_DEFAULT.unknownPrice,
    leaseMs: file?.lease ?? MONEY_DEFAULT.leaseMs,
  };
}

const resolveRetries = (file: FileConfig['retries']): Config['retries'] =>
  file === 'none' ? null : { waitMs: file?.wait ?? RETRIES_DEFAULT.waitMs };

function resolveAudit(file: FileConfig['audit']): Config['audit'] {
  const anchors = file?.anchors?.map(resolveAnchor) ?? AUDIT_DEFAULT.anchors;
  return { key: file?.key?.locator ?? AUDIT_DEFAULT.key, anchors };
}

/** That it is one of the two and not both is checked with the whole. */
function resolveAnchor({ directory, command, every }: FileAnchor): AuditAnchor {
  const everyMs = every ?? ANCHOR_EVERY_MS_DEFAULT;
  return directory === undefined
    ? { kind: 'command', command: command ?? [], everyMs }
    : { kind: 'directory', directory, everyMs };
}

const limited = (budgets: FileConfig['budgets']): Config['budgets'] =>
  budgets === undefined || budgets === 'none' ? [] : budgets;

/** A section as a map in the order of the file: a plain object would put names like "7" first. */
function mapper(file: FileConfig, tree: MapTree) {
  return <Section extends Named, To>(
    section: Section,
    make: (value: Files<Section>[string], name: string) => To,
  ) => {
    const record = (file[section] ?? {}) as Readonly<Record<string, Files<Section>[string]>>;
    const names = [...namesAt(tree, [section])].filter((name) => Object.hasOwn(record, name));
    return new Map(names.map((name) => [name, make(record[name]!, name)])) as ReadonlyMap<string, To>;
  };
}

type Defined<Type> = { [Key in keyof Type]: Exclude<Type[Key], undefined> };

const defined = <Type extends object>(record: Type): Defined<Type> =>
  Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as Defined<Type>;
