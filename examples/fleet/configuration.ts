// The fleet's outrider.yaml: least privilege by role, the tiers of who is asked, budgets as the plan has them. Written when
// every address is known.

import { BREAKER, LOOP_FROM } from './incidents.ts';
import { MEMBERS, type Member, type Role } from './plan.ts';
import { CALL_PRICES } from './world/bill.ts';
import { SERVICES } from './world/services.ts';

export const KEYS = ['models', 'services', 'pagerduty', 'slack'] as const;
export type Key = (typeof KEYS)[number];

export interface Addresses {
  readonly models: string;
  readonly services: string;
  /** Agents by name. */
  readonly agents: ReadonlyMap<string, string>;
  /** Files that hold the real credentials: sidecars read them, agents do not know where they are. */
  readonly keys: Readonly<Record<Key, string>>;
}

interface Rules {
  readonly allow?: readonly string[];
  readonly notify?: readonly string[];
  readonly ask?: readonly string[];
  readonly deny?: readonly string[];
  readonly outputTokensMax?: number;
}

export function configurationOf(at: Addresses): string {
  return [
    'fleet: content-pipeline',
    'mode: enforce',
    'budgets: [$3700/month]',
    'departments: { content: { budgets: [$3700/month] } }',
    'owners: { content-leads: {} }',
    `prohibited: ["http DELETE ${at.services}/database/**"]`,
    'upstreams:',
    `  openai: { url: "${at.models}/openai", speaks: openai, credential: models }`,
    `  anthropic: { url: "${at.models}/anthropic", speaks: anthropic, credential: models }`,
    ...SERVICES.map(
      (service) => `  ${service}: { url: "${at.services}/${service}", speaks: http, credential: services }`,
    ),
    ...[...at.agents].map(([name, url]) => `  ${name}: { url: "${url}", speaks: http }`),
    'credentials:',
    `  models: { from: "file:${at.keys.models}" }`,
    `  services: { from: "file:${at.keys.services}" }`,
    'roles:',
    ...Object.entries(rolesOf(at)).flatMap(([role, rules]) => roleLines(role, rules)),
    'agents:',
    ...MEMBERS.map(agentLine),
    'prices:',
    ...Object.entries(CALL_PRICES).map(
      ([service, price]) => `  ${service}: { call: $${Number(price) / 1e9} }`,
    ),
    `alerts: { critical: "pagerduty file:${at.keys.pagerduty}", warning: "slack file:${at.keys.slack}" }`,
    `breakers: { window: 30s, failure_rate: 0.5, min_calls: ${BREAKER.callsMin}, cooldown: ${BREAKER.cooldownSeconds}s, trials: ${BREAKER.trials} }`,
    // Whose failures are half of what it did depends on how many articles it works on: `error-rate` finds them all the same.
    `quarantine: { degraded: flag, same_calls: ${LOOP_FROM}, failure_rate: none }`,
    // An article's call that is let in first after a 429 may take its time: who comes behind it waits.
    'money: { hold_wait: 10s }',
    'listen: { proxy: "127.0.0.1:0", admin: "127.0.0.1:0", otlp: "127.0.0.1:0", control: "127.0.0.1:0", sql: "127.0.0.1:0" }',
    'drain: 2s',
    '',
  ].join('\n');
}

function agentLine({ name, role, dollarsPerMonth }: Member): string {
  const mode = name === 'social-2' ? ', mode: observe' : '';
  const expected = name === 'keyword' ? '90s' : '30m';
  return `  ${name}: { role: ${role}, department: content, owner: content-leads, version: 1.0.0, budgets: [$${dollarsPerMonth}/month], expected_task: ${expected}${mode} }`;
}

function roleLines(
  role: string,
  { allow = [], notify = [], ask = [], deny = [], outputTokensMax }: Rules,
): string[] {
  const list = (key: string, rules: readonly string[]): string[] =>
    rules.length === 0 ? [] : [`    ${key}:`, ...rules.map((rule) => `      - "${rule}"`)];
  return [
    `  ${role}:`,
    ...list('allow', allow),
    ...list('notify', notify),
    ...list('ask', ask),
    ...list('deny', deny),
    ...(outputTokensMax === undefined ? [] : [`    limits: { max_output_tokens: ${outputTokensMax} }`]),
  ];
}

function rolesOf({ services, agents }: Addresses): Readonly<Record<Role, Rules>> {
  const http = (method: string, service: string, path = '/v1/**'): string =>
    `http ${method} ${services}/${service}${path}`;
  const search = http('GET', 'search', '/v1');
  const to = (...roles: readonly Role[]): string[] =>
    MEMBERS.filter(({ role }) => roles.includes(role)).map(
      ({ name }) => `http POST ${agents.get(name)}/jobs`,
    );
  const opus = 'llm anthropic/claude-opus-4-20250514';
  const haiku = 'llm anthropic/claude-3-5-haiku-20241022';
  return {
    scout: { allow: ['llm openai/gpt-4o', search, ...to('keyword')] },
    keyword: { allow: [haiku, ...to('strategist')] },
    strategist: { allow: [opus, ...to('research', 'writer')], notify: [http('POST', 'cms', '/v1/briefs/*')] },
    research: { allow: ['llm openai/gpt-4o', search, http('POST', 'reports', '/v1/orders/*')] },
    writer: {
      allow: [opus, http('PUT', 'cms', '/v1/drafts/*'), ...to('editor')],
      outputTokensMax: 8_192,
    },
    editor: {
      allow: [opus, ...to('writer', 'seo')],
      notify: [http('POST', 'mail', '/v1/messages')],
      deny: [http('DELETE', 'cms')],
    },
    seo: { allow: [haiku, ...to('image', 'social', 'publisher')] },
    image: { allow: [search], notify: [http('POST', 'images')] },
    social: {
      allow: ['llm openai/gpt-4o-mini', http('POST', 'adverts', '/v1/campaigns/*')],
      notify: [http('POST', 'mail', '/v1/posts')],
    },
    publisher: {
      allow: [haiku, ...to('analytics')],
      notify: [http('POST', 'cms', '/v1/articles/*')],
      ask: [http('POST', 'cms', '/v1/sponsored/*')],
    },
    analytics: { allow: ['llm openai/gpt-4o-mini', ...to('scout')] },
  };
}
