// `gen_ai.provider.name` in the words of the OpenTelemetry GenAI conventions.

import { expect, it } from 'vitest';
import { type DialectName, providerName } from '../../contract/attributes.ts';

it.each([
  ['openai', 'api.openai.com', 'openai'],
  ['anthropic', 'api.anthropic.com', 'anthropic'],
  ['gemini', 'generativelanguage.googleapis.com', 'gcp.gemini'],
  ['gemini', 'us-central1-aiplatform.googleapis.com', 'gcp.vertex_ai'],
  ['gemini', 'aiplatform.googleapis.com', 'gcp.vertex_ai'],
  ['gemini', 'aiplatform.googleapis.com.evil.example', 'gcp.gemini'],
  ['bedrock', 'bedrock-runtime.eu-west-1.amazonaws.com', 'aws.bedrock'],
  ['mcp', 'tools.example', ''],
  ['http', 'api.example', ''],
] satisfies [DialectName, string, string][])('%s at %s is %s', (dialect, host, name) => {
  expect(providerName(dialect, host)).toBe(name);
});
