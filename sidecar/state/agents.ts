// Which agent is calling: the one this sidecar was started for, else the owner of the key that was presented. Keys are
// compared by digest, in constant time, and are worth nothing anywhere else.

import { hash, timingSafeEqual } from 'node:crypto';
import type { Mode } from '../../contract/attributes.ts';
import { agentNamed, type Config, captureOf, modeOf } from '../../contract/config/config.ts';
import { ruleSetOf } from '../../contract/rules/judge.ts';
import type { AgentIdentity } from '../call.ts';
import type { RequestHead } from '../dialects/dialect.ts';

export interface Agents {
  /** Undefined when no key was presented that anyone knows. */
  identify(
    config: Config,
    headers: RequestHead['headers'],
    /** What the tunnel was opened with that the call came through. */
    proxyAuthorization?: string,
  ): AgentIdentity | undefined;
  /** By name alone: for the sidecar's own requests. Undefined where it is none of those whose calls come here. */
  named(config: Config, name: string): AgentIdentity | undefined;
}

export interface AgentKey {
  /** The entry's name as written in the config; may hold `*`. */
  readonly pattern: string;
  readonly key: string;
}

/** The places an agent's key may be presented in, in order. */
const KEY_HEADERS = [
  'proxy-authorization',
  'x-outrider-token',
  'authorization',
  'x-api-key',
  'x-goog-api-key',
  'api-key',
];
/** Says which of a pattern's names it is; only believed with the pattern's own key. */
const NAME_HEADER = 'x-outrider-agent';
const IDENTITIES_MAX = 10_000;

export function createAgents(options: {
  readonly fixed: string | null;
  readonly instance: string;
  /** The mode in force in place of the config's, if any. */
  modeOf(agent: string): Mode | undefined;
  keys(config: Config): readonly AgentKey[];
}): Agents {
  const identities = new Map<string, AgentIdentity>();
  let cachedFor = '';

  const identityOf = (config: Config, name: string): AgentIdentity | undefined => {
    if (cachedFor !== config.digest) {
      identities.clear();
      cachedFor = config.digest;
    }
    const known = identities.get(name);
    if (known) return known;
    const entry = agentNamed(config, name);
    if (!entry) return undefined;
    const limits = entry.roles
      .map((role) => config.roles.get(role)?.limits)
      .filter((limit) => limit !== undefined);
    const rates = [...limits.flatMap((limit) => limit.rates), ...entry.rates];
    const identity: AgentIdentity = {
      name,
      instance: options.instance,
      entry,
      mode: modeOf(config, entry),
      capture: captureOf(config, entry),
      rules: ruleSetOf(config, entry),
      maxOutputTokens: smallest(limits.map((limit) => limit.maxOutputTokens)),
      requestRates: rates.filter(({ unit }) => unit === 'requests'),
      tokenRates: rates.filter(({ unit }) => unit === 'tokens'),
    };
    if (identities.size >= IDENTITIES_MAX) identities.clear();
    identities.set(name, identity);
    return identity;
  };

  /** As the agent stands at this moment; a call that began keeps what it got. */
  const standing = (config: Config, name: string): AgentIdentity | undefined => {
    const identity = identityOf(config, name);
    const mode = identity && options.modeOf(name);
    return identity && mode && mode !== identity.mode ? { ...identity, mode } : identity;
  };

  return {
    named: (config, name) =>
      options.fixed === null || options.fixed === name ? standing(config, name) : undefined,
    identify(config, headers, proxyAuthorization) {
      if (options.fixed !== null) return standing(config, options.fixed);
      const keys = options.keys(config);
      for (const presented of presentedKeys(headers, proxyAuthorization)) {
        const owner = keys.find(({ key }) => sameSecret(key, presented.key));
        if (!owner) continue;
        if (!owner.pattern.includes('*')) return standing(config, owner.pattern);
        const claimed = String(headers[NAME_HEADER] ?? presented.user);
        return agentNamed(config, claimed)?.pattern === owner.pattern ? standing(config, claimed) : undefined;
      }
      return undefined;
    },
  };
}

/** The agent a sidecar is for. Throws an Error with one sentence when the config does not know it. */
export function agentOf(agents: Agents, config: Config, name: string): AgentIdentity {
  const identity = agents.identify(config, {});
  if (identity) return identity;
  throw new Error(
    `No agent named ${name} is in the config; it knows ${[...config.agents.keys()].join(', ')}.`,
  );
}

/** An agent as a config alone says it is, whatever mode is in force. Throws as `agentOf` does. */
export function agentAlone(config: Config, name: string, instance: string): AgentIdentity {
  const agents = createAgents({ fixed: name, instance, modeOf: () => undefined, keys: () => [] });
  return agentOf(agents, config, name);
}

interface Presented {
  readonly key: string;
  /** Who it is said to be, where the key came as a proxy url has it: `http://name:key@127.0.0.1:4320`. */
  readonly user: string;
}

function presentedKeys(
  headers: RequestHead['headers'],
  proxyAuthorization: string | undefined,
): readonly Presented[] {
  return [proxyAuthorization, ...KEY_HEADERS.map((name) => headers[name])]
    .filter((value) => value !== undefined && value !== '')
    .map((value) => presentedIn(String(value)));
}

function presentedIn(value: string): Presented {
  const [, scheme = '', text = value] = /^(Bearer|Basic)\s+(.*)$/i.exec(value) ?? [];
  if (scheme.toLowerCase() !== 'basic') return { key: text, user: '' };
  const pair = Buffer.from(text, 'base64').toString();
  const colon = pair.indexOf(':');
  if (colon < 0) return { key: text, user: '' };
  const [user, password] = [pair.slice(0, colon), pair.slice(colon + 1)];
  return { key: password || user, user };
}

function sameSecret(a: string, b: string): boolean {
  return timingSafeEqual(hash('sha256', a, 'buffer'), hash('sha256', b, 'buffer'));
}

function smallest(numbers: readonly (number | null)[]): number | null {
  const known = numbers.filter((n) => n !== null);
  return known.length > 0 ? Math.min(...known) : null;
}
