// The variables by which agents' libraries are pointed at a sidecar: base URLs of every upstream that speaks an LLM
// dialect, the proxy for everything else, the authority to trust, and placeholder keys of the right shape, worth nothing
// anywhere. An agent's own key is left alone where it is forwarded, and its own telemetry goes past the proxy.

import { type DialectName, VERTEX_HOST } from '../contract/attributes.ts';
import type { Config, Upstream } from '../contract/config/config.ts';
import type { TrustFiles } from './trust-files.ts';

/** Worth nothing: the sidecar puts the real credential in. Clients refuse to start without some key. */
export const PLACEHOLDER_KEY = 'outrider-placeholder-key';
const PLACEHOLDER_GOOGLE_KEY = `AIza${'OutriderPlaceholder'.padEnd(35, '0')}`;
const PLACEHOLDER_AWS_KEY_ID = 'AKIAOUTRIDERPLACEHLD';
const PLACEHOLDER_AWS_SECRET = 'outrider-placeholder'.padEnd(40, '0');

type Variables = Record<string, string>;

export interface Pointing {
  /** The sidecar's URL. */
  readonly proxy: string;
  readonly trust: TrustFiles;
  /** The URL of the collector's door for OTLP/HTTP; null where it is not known. */
  readonly otlp: string | null;
  /** The environment as it is: what it says of telemetry holds. */
  readonly given: Readonly<Record<string, string | undefined>>;
}

/** The collector's door for OTLP/HTTP, beside its control API; null where the config leaves its port open. */
export function otlpBeside(control: string, { listen }: Config): string | null {
  const url = new URL(control);
  url.port = listen.otlp.slice(listen.otlp.lastIndexOf(':') + 1);
  return url.port === '0' ? null : url.origin;
}

/** For the first upstream of each dialect. */
export function agentVariables(config: Config, { proxy, trust, otlp, given }: Pointing): Variables {
  return {
    OUTRIDER_PROXY: proxy,
    ...llmVariables(config, proxy),
    ...proxyVariables(proxy, otlp),
    ...telemetryVariables(otlp, given),
    ...trustVariables(trust),
  };
}

function llmVariables({ upstreams }: Config, proxy: string): Variables {
  const all = [...upstreams.values()];
  const speaking = (dialect: DialectName, fits: (upstream: Upstream) => boolean = () => true) =>
    all.find((upstream) => upstream.speaks === dialect && fits(upstream));
  const azure = speaking('openai', isAzure);
  const vertex = speaking('gemini', isVertex);
  const found: readonly [Upstream | undefined, (upstream: Upstream, base: string) => Variables][] = [
    [speaking('openai', (upstream) => !isAzure(upstream)) ?? azure, openaiVariables],
    [azure, azureVariables],
    [speaking('anthropic'), anthropicVariables],
    [speaking('gemini', (upstream) => !isVertex(upstream)), geminiVariables],
    [vertex, (_, base) => ({ GOOGLE_VERTEX_BASE_URL: base })],
    [speaking('bedrock'), bedrockVariables],
  ];
  return Object.assign(
    {},
    ...found.map(([upstream, variables]) => upstream && variables(upstream, `${proxy}/${upstream.name}`)),
  ) as Variables;
}

const hostOf = ({ url }: Upstream): string => new URL(url).hostname;
const isAzure = (upstream: Upstream): boolean => /\.azure\.com$/.test(hostOf(upstream));
const isVertex = (upstream: Upstream): boolean => VERTEX_HOST.test(hostOf(upstream));

function openaiVariables(upstream: Upstream, base: string): Variables {
  const url = `${base}${upstream.url.endsWith('/v1') ? '' : '/v1'}`;
  return {
    OPENAI_BASE_URL: url,
    OPENAI_API_BASE: url,
    ...keys(upstream, { OPENAI_API_KEY: PLACEHOLDER_KEY }),
  };
}

const azureVariables = (upstream: Upstream, base: string): Variables => ({
  AZURE_OPENAI_ENDPOINT: base,
  ...keys(upstream, { AZURE_OPENAI_API_KEY: PLACEHOLDER_KEY }),
});

const anthropicVariables = (upstream: Upstream, base: string): Variables => ({
  ANTHROPIC_BASE_URL: base,
  ...keys(upstream, { ANTHROPIC_API_KEY: PLACEHOLDER_KEY }),
});

const geminiVariables = (upstream: Upstream, base: string): Variables => ({
  GOOGLE_GEMINI_BASE_URL: base,
  ...keys(upstream, {
    GEMINI_API_KEY: PLACEHOLDER_GOOGLE_KEY,
    GOOGLE_API_KEY: PLACEHOLDER_GOOGLE_KEY,
    GOOGLE_GENERATIVE_AI_API_KEY: PLACEHOLDER_GOOGLE_KEY,
  }),
});

/**
 * AWS's clients sign with whatever they have; the signature is replaced. Where it is the agent's own that goes on, it must
 * be made for AWS's host, and so comes by the proxy.
 */
function bedrockVariables(upstream: Upstream, base: string): Variables {
  const region = /^bedrock-runtime(?:-fips)?\.([a-z0-9-]+)\.amazonaws\.com$/.exec(hostOf(upstream))?.[1];
  return {
    ...(region ? { AWS_REGION: region } : {}),
    ...keys(upstream, {
      AWS_ENDPOINT_URL_BEDROCK_RUNTIME: base,
      ANTHROPIC_BEDROCK_BASE_URL: base,
      AWS_ACCESS_KEY_ID: PLACEHOLDER_AWS_KEY_ID,
      AWS_SECRET_ACCESS_KEY: PLACEHOLDER_AWS_SECRET,
    }),
  };
}

const keys = ({ credential }: Upstream, placeholders: Variables): Variables =>
  credential === 'agent' ? {} : placeholders;

/** Both spellings: curl reads `http_proxy` only in lower case, others only in upper case. */
function proxyVariables(proxy: string, otlp: string | null): Variables {
  const both = (name: string, value: string): Variables => ({ [name]: value, [name.toLowerCase()]: value });
  // The base urls above lead to the sidecar by themselves, and telemetry to the collector.
  const past = [proxy, ...(otlp === null ? [] : [otlp])].map((url) => new URL(url).host);
  return {
    ...both('HTTP_PROXY', proxy),
    ...both('HTTPS_PROXY', proxy),
    ...both('ALL_PROXY', proxy),
    ...both('NO_PROXY', past.join(',')),
    NODE_USE_ENV_PROXY: '1',
  };
}

/** By HTTP, for gRPC's clients know no port in NO_PROXY. Who says where telemetry goes is left alone. */
function telemetryVariables(otlp: string | null, given: Pointing['given']): Variables {
  if (otlp === null || given.OTEL_EXPORTER_OTLP_ENDPOINT || given.OTEL_EXPORTER_OTLP_PROTOCOL) return {};
  return { OTEL_EXPORTER_OTLP_ENDPOINT: otlp, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf' };
}

/** Node adds to its roots; the others replace theirs by what they are given. */
const trustVariables = ({ certificate, bundle }: TrustFiles): Variables => ({
  NODE_EXTRA_CA_CERTS: certificate,
  ...Object.fromEntries(BUNDLE_VARIABLES.map((name) => [name, bundle])),
});

const BUNDLE_VARIABLES = [
  'SSL_CERT_FILE',
  'REQUESTS_CA_BUNDLE',
  'CURL_CA_BUNDLE',
  'GIT_SSL_CAINFO',
  'PIP_CERT',
  'AWS_CA_BUNDLE',
  'DENO_CERT',
  'CARGO_HTTP_CAINFO',
  'npm_config_cafile',
  'GRPC_DEFAULT_SSL_ROOTS_FILE_PATH',
] as const;

/** Variables that hold real credentials: the command never sees them. */
export function secretVariables(config: Config): string[] {
  const references = [...config.credentials.values()].map(({ secret }) => secret);
  for (const { key } of config.agents.values()) if (key) references.push(key);
  return [
    'OUTRIDER_TOKEN',
    'OUTRIDER_TOKEN_FILE',
    ...references.filter(({ from }) => from === 'env').map(({ locator }) => locator),
  ];
}
