// What runs without any file: everything is watched, nothing is refused but what always is. The agent's own keys are
// forwarded, so an SDK pointed here works as it did. Made without YAML and schema, which then need not be loaded.

import { hash } from 'node:crypto';
import type { Agent, Config, Upstream } from './config.ts';
import {
  ALERTS_DEFAULT,
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
  STORE_DEFAULT,
  TIMEOUTS_DEFAULT,
  TIMEZONE_DEFAULT,
} from './defaults.ts';
import { deepFreeze } from './freeze.ts';

const UPSTREAMS = [
  { name: 'openai', speaks: 'openai', url: 'https://api.openai.com' },
  { name: 'anthropic', speaks: 'anthropic', url: 'https://api.anthropic.com' },
  { name: 'gemini', speaks: 'gemini', url: 'https://generativelanguage.googleapis.com' },
] as const;

export function defaultConfig(): Config {
  const upstreams = UPSTREAMS.map(
    (upstream): Upstream => ({
      ...upstream,
      credential: 'agent',
      pricedAs: null,
      timeouts: TIMEOUTS_DEFAULT,
      rates: [],
      declared: true,
    }),
  );
  return deepFreeze<Config>({
    fleet: FLEET_DEFAULT,
    mode: 'observe',
    budgets: [],
    budgetsWarned: true,
    prohibited: [],
    departments: new Map(),
    owners: new Map(),
    upstreams: new Map(upstreams.map((upstream) => [upstream.name, upstream])),
    credentials: new Map(),
    roles: new Map(),
    agents: new Map([['default', DEFAULT_AGENT]]),
    breakers: BREAKERS_DEFAULT,
    quarantine: QUARANTINE_DEFAULT,
    money: MONEY_DEFAULT,
    retries: RETRIES_DEFAULT,
    timeouts: TIMEOUTS_DEFAULT,
    limits: LIMITS_DEFAULT,
    journal: JOURNAL_DEFAULT,
    drainMs: DRAIN_MS_DEFAULT,
    prices: [],
    alerts: ALERTS_DEFAULT,
    export: [],
    retention: RETENTION_DEFAULT,
    audit: AUDIT_DEFAULT,
    captureBodies: 'hash',
    listen: LISTEN_DEFAULT,
    otlp: OTLP_DEFAULT,
    store: STORE_DEFAULT,
    collector: COLLECTOR_DEFAULT,
    timezone: TIMEZONE_DEFAULT,
    digest: hash('sha256', `default ${JSON.stringify(UPSTREAMS)}`, 'hex'),
    sources: [],
  });
}

const DEFAULT_AGENT: Agent = {
  pattern: 'default',
  roles: [],
  mode: null,
  department: null,
  owner: null,
  version: null,
  budgets: [],
  taskBudgets: [],
  rates: [],
  expectedTaskMs: null,
  key: null,
  credentials: new Map(),
};
