// What is accepted and not enforced is named, with its place; what is enforced is not.

import { describe, expect, it } from 'vitest';
import { defaultConfig } from '../../../contract/config/default-config.ts';
import { notYetEnforced } from '../../../contract/config/not-yet-enforced.ts';
import { parseConfig } from '../../../contract/config/parse.ts';
import { formatProblem } from '../../../contract/config/problems.ts';

async function named(text: string): Promise<readonly string[]> {
  const { config } = await parseConfig([{ file: 'c.yaml', text }]);
  return notYetEnforced(config).map(formatProblem);
}

const LLM = 'upstreams: { u: { url: https://u.example, speaks: openai } }\n';

describe('not yet enforced', () => {
  it.each([
    [
      'a condition on cost',
      `${LLM}roles: { r: { ask: [llm u/* when cost > 5.0] } }`,
      ['c.yaml:2:21: conditions on cost'],
    ],
    [
      'export of bodies',
      'export: [{ otlp: "https://o.example/v1/traces", bodies: redacted }]',
      ['c.yaml:1:49: export of bodies as redacted is not enforced yet: remove "export.0.bodies"'],
    ],
    [
      'stores by vault',
      'store: { clickhouse: "vault:ch", postgres: "vault:pg" }',
      ['c.yaml:1:22: secrets from vault:', 'c.yaml:1:44: secrets from vault:'],
    ],
    [
      'vault',
      'agents: { a: { key: vault:a } }\ncredentials: { c: { from: vault:x } }\nowners: { o: { slack: vault:s } }\nalerts: { critical: pagerduty vault:p }\nexport: [{ otlp: "https://o.example/", headers: { h: vault:h } }]',
      [
        'c.yaml:1:21: secrets from vault',
        'c.yaml:2:27: secrets from vault',
        'c.yaml:3:23: secrets from vault',
        'c.yaml:4:21: secrets from vault',
        'c.yaml:5:54: secrets from vault',
      ],
    ],
  ])('%s', async (_, text, expected) => {
    const found = await named(text);
    expect(found).toHaveLength(expected.length);
    for (const [index, start] of expected.entries()) expect(found[index]).toContain(start);
  });

  it('names nothing that is enforced', async () => {
    const text = `${LLM}credentials: { k: { from: env:K } }
prohibited: [llm u/x, tool shell, "connect db.example:1"]
roles: { r: { mode: observe, capture: { bodies: redacted }, allow: ["llm u/* when args.cost == 1", hosted u/web_search, "http GET https://a.example/"], limits: { max_output_tokens: 5, requests: 60/minute } } }
agents: { a: { role: r, mode: observe, key: env:A, credentials: { u: k }, task_budgets: [$1] } }
owners: { o: { pagerduty: env:P, slack: env:S } }
alerts: { critical: pagerduty env:P, warning: slack env:S, digest: webhook env:W }
export: [{ otlp: "https://o.example/v1/traces", headers: { h: env:H }, bodies: none }]
prices: { u/x: free }
breakers: { trials: 1 }
retention: { traces: 1d }
capture: { bodies: full }
money: { grace: 0% }
store: { clickhouse: embedded }
`;
    expect(await named(text)).toEqual([]);
    expect(notYetEnforced(defaultConfig())).toEqual([]);
  });

  it('finds the same in a copy of a configuration', async () => {
    const { config } = await parseConfig([
      { file: 'c.yaml', text: 'export: [{ otlp: "https://o.example/", bodies: full }]' },
    ]);
    expect(notYetEnforced({ ...config })).toEqual(notYetEnforced(config));
    expect(notYetEnforced(config).length).toBeGreaterThan(0);
  });
});
