// What an agent's environment is told, for every dialect there is and no more.

import { describe, expect, it } from 'vitest';
import { agentVariables, type Pointing } from '../../cli/variables.ts';
import { parseConfig } from '../../contract/config/parse.ts';

const POINTING = {
  proxy: 'http://127.0.0.1:4320',
  trust: { certificate: '/data/ca/ca.pem', bundle: '/data/ca/bundle.pem' },
  otlp: 'http://127.0.0.1:4318',
  given: {},
};

async function variablesFor(
  upstreams: string,
  pointing: Partial<Pointing> = {},
): Promise<Record<string, string>> {
  const text = `fleet: test\nmode: observe\nbudgets: none\nupstreams:\n${upstreams}\nroles: { any: { allow: [] } }\nagents: { scout: { role: any } }\ncredentials: { key: { from: env:KEY } }\n`;
  const { config } = await parseConfig([{ file: 'outrider.yaml', text }]);
  return agentVariables(config, { ...POINTING, ...pointing });
}

const EVERY = `
  openai: { url: https://api.openai.com, speaks: openai, credential: key }
  azure: { url: https://ours.openai.azure.com, speaks: openai, credential: key }
  anthropic: { url: https://api.anthropic.com, speaks: anthropic, credential: key }
  gemini: { url: https://generativelanguage.googleapis.com, speaks: gemini, credential: key }
  vertex: { url: https://aiplatform.googleapis.com, speaks: gemini, credential: key }
  bedrock: { url: https://bedrock-runtime.eu-west-1.amazonaws.com, speaks: bedrock, credential: key }`;

describe('an agent’s variables', () => {
  it('lead every dialect’s clients to their upstream', async () => {
    expect(await variablesFor(EVERY)).toMatchObject({
      OUTRIDER_PROXY: 'http://127.0.0.1:4320',
      OPENAI_BASE_URL: 'http://127.0.0.1:4320/openai/v1',
      OPENAI_API_BASE: 'http://127.0.0.1:4320/openai/v1',
      AZURE_OPENAI_ENDPOINT: 'http://127.0.0.1:4320/azure',
      ANTHROPIC_BASE_URL: 'http://127.0.0.1:4320/anthropic',
      GOOGLE_GEMINI_BASE_URL: 'http://127.0.0.1:4320/gemini',
      GOOGLE_VERTEX_BASE_URL: 'http://127.0.0.1:4320/vertex',
      AWS_ENDPOINT_URL_BEDROCK_RUNTIME: 'http://127.0.0.1:4320/bedrock',
      ANTHROPIC_BEDROCK_BASE_URL: 'http://127.0.0.1:4320/bedrock',
      AWS_REGION: 'eu-west-1',
    });
  });

  it('hold keys of the right shape that are worth nothing', async () => {
    const variables = await variablesFor(EVERY);
    expect(variables.GEMINI_API_KEY).toMatch(/^AIza[\w-]{35}$/);
    expect(variables.AWS_ACCESS_KEY_ID).toMatch(/^AKIA[A-Z0-9]{16}$/);
    expect(variables.AWS_SECRET_ACCESS_KEY).toHaveLength(40);
    for (const name of ['OPENAI_API_KEY', 'AZURE_OPENAI_API_KEY', 'ANTHROPIC_API_KEY'])
      expect(variables[name]).toBe('outrider-placeholder-key');
  });

  it('leave an agent’s own keys alone where they are forwarded', async () => {
    const variables = await variablesFor(EVERY.replaceAll('credential: key', 'credential: agent'));
    expect(Object.keys(variables).filter((name) => /KEY|TOKEN/.test(name))).toEqual([]);
  });

  it('lead no signature of an agent’s own to a door that it does not hold for', async () => {
    const variables = await variablesFor(EVERY.replaceAll('credential: key', 'credential: agent'));
    expect(Object.keys(variables).filter((name) => /BEDROCK/.test(name))).toEqual([]);
    expect(variables.AWS_REGION).toBe('eu-west-1');
  });

  it('name the proxy in both cases, and nothing that goes past it but itself and the collector’s OTLP door', async () => {
    const variables = await variablesFor('  search: { url: https://search.example, speaks: http }');
    for (const name of ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY']) {
      expect(variables[name]).toBe(POINTING.proxy);
      expect(variables[name.toLowerCase()]).toBe(POINTING.proxy);
    }
    for (const name of ['NO_PROXY', 'no_proxy'])
      expect(variables[name]).toBe('127.0.0.1:4320,127.0.0.1:4318');
    expect(variables.NODE_USE_ENV_PROXY).toBe('1');
    expect(Object.keys(variables).filter((name) => /BASE_URL|API_KEY|AWS_ACCESS/.test(name))).toEqual([]);
  });

  it('lead an agent’s telemetry to the collector, unless it says where it goes', async () => {
    const upstreams = '  search: { url: https://search.example, speaks: http }';
    const telemetryOf = async (pointing: Partial<Pointing>) =>
      Object.entries(await variablesFor(upstreams, pointing)).filter(([name]) => name.startsWith('OTEL_'));
    expect(Object.fromEntries(await telemetryOf({}))).toEqual({
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
    });
    for (const given of [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'x' }, { OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }])
      expect(await telemetryOf({ given })).toEqual([]);
    expect(await telemetryOf({ otlp: null })).toEqual([]);
    expect((await variablesFor(upstreams, { otlp: null })).NO_PROXY).toBe('127.0.0.1:4320');
  });

  it('give Node the authority alone and everyone else a bundle', async () => {
    const { certificate, bundle } = POINTING.trust;
    const variables = await variablesFor('  search: { url: https://search.example, speaks: http }');
    const trusting = Object.entries(variables).filter(([, value]) => value.startsWith('/data/'));
    expect(Object.fromEntries(trusting)).toEqual({
      NODE_EXTRA_CA_CERTS: certificate,
      SSL_CERT_FILE: bundle,
      REQUESTS_CA_BUNDLE: bundle,
      CURL_CA_BUNDLE: bundle,
      GIT_SSL_CAINFO: bundle,
      PIP_CERT: bundle,
      AWS_CA_BUNDLE: bundle,
      DENO_CERT: bundle,
      CARGO_HTTP_CAINFO: bundle,
      npm_config_cafile: bundle,
      GRPC_DEFAULT_SSL_ROOTS_FILE_PATH: bundle,
    });
  });
});
