// Every default, once: what a file that says nothing means. The schema shows them, `default-config.ts` uses them.

import type {
  AlertChannels,
  AuditRules,
  Breakers,
  Listen,
  MoneyRules,
  OtlpRules,
  QuarantineRules,
  RetryRules,
  Timeouts,
} from './config.ts';

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;

export const FLEET_DEFAULT = 'default';
export const COLLECTOR_DEFAULT = 'http://127.0.0.1:4319';
export const TIMEZONE_DEFAULT = 'UTC';
export const DRAIN_MS_DEFAULT = 30 * SECOND_MS;
export const AUDIT_DAYS_MIN = 90;

export const TIMEOUTS_DEFAULT: Timeouts = {
  connectMs: 5 * SECOND_MS,
  firstByteMs: 2 * MINUTE_MS,
  idleMs: 2 * MINUTE_MS,
  totalMs: 30 * MINUTE_MS,
};

export const BREAKERS_DEFAULT: Breakers = {
  windowMs: 10 * MINUTE_MS,
  failureRate: 0.5,
  callsMin: 20,
  cooldownMs: 30 * SECOND_MS,
  cooldownMsMax: 10 * MINUTE_MS,
  trials: 3,
  slow: null,
};

export const QUARANTINE_DEFAULT: QuarantineRules = {
  action: 'flag',
  forMs: 60 * MINUTE_MS,
  windowMs: 5 * MINUTE_MS,
  failureRate: 0.5,
  callsMin: 20,
  sameCalls: 20,
  tokensPerMinute: null,
  tokensTimes: 10,
};

export const SLOW_RATE_DEFAULT = 0.5;

export const MONEY_DEFAULT: MoneyRules = {
  gracePercent: 0,
  holdWaitMs: 2 * SECOND_MS,
  offlineNanodollars: 0n,
  unknownPrice: 'refuse',
  leaseMs: 15 * MINUTE_MS,
};

export const RETRIES_DEFAULT: RetryRules = { waitMs: 5 * SECOND_MS };

export const LIMITS_DEFAULT = { bodyBytesMax: 32 * 2 ** 20, bodyBytesInFlightMax: 256 * 2 ** 20 };
export const JOURNAL_DEFAULT = { durability: 'batched', sizeBytesMax: 4 * 2 ** 30 } as const;
export const RETENTION_DEFAULT = { tracesDays: 30, auditDays: 184, bodiesDays: 14 };
export const AUDIT_DEFAULT: AuditRules = { key: null, anchors: [] };
export const ANCHOR_EVERY_MS_DEFAULT = MINUTE_MS;
export const STORE_DEFAULT = {
  clickhouse: 'embedded',
  cluster: null,
  messages: 'by_content',
  postgres: 'embedded',
} as const;

export const OTLP_DEFAULT: OtlpRules = { allowedOrigins: [], tokens: 'optional' };

export const LISTEN_DEFAULT: Listen = {
  proxy: '127.0.0.1:4320',
  admin: '127.0.0.1:4321',
  otlp: '127.0.0.1:4318',
  otlpGrpc: '127.0.0.1:4317',
  control: '127.0.0.1:4319',
  sql: '127.0.0.1:8123',
  insecure: false,
};

export const ALERTS_DEFAULT: AlertChannels = { critical: null, warning: null, digest: null };
