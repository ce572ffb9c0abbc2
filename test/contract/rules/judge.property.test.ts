// What holds for every set of rules: order is nothing, an allow only opens, a deny only closes; and the judge agrees
// with a second, naive one written from the specification's table.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VERDICTS, type Verdict } from '../../../contract/attributes.ts';
import { loadConditions } from '../../../contract/rules/condition.ts';
import { compileName, compilePath } from '../../../contract/rules/glob.ts';
import { judge } from '../../../contract/rules/judge.ts';
import { parseRule } from '../../../contract/rules/parse.ts';
import type { ConditionFacts, Rule, RuleSet, Subject } from '../../../contract/rules.ts';

type Written = Readonly<Record<Verdict, readonly string[]>>;

const SOURCE = { file: 'c.yaml', line: 1, column: 1 };
const compileCondition = await loadConditions();
const FACTS: ConditionFacts = { call: {}, args: { n: 1 }, agent: {}, task: 't', cost: 0, now: new Date(0) };

const parsed = new Map<string, Rule>();
function rule(text: string, verdict: Verdict): Rule {
  const refuses = verdict !== 'allow' && verdict !== 'notify';
  const known = parsed.get(`${refuses} ${text}`) ?? parseRule(text, SOURCE, { compileCondition, refuses });
  parsed.set(`${refuses} ${text}`, known);
  return known;
}

function ruleSet(written: Written): RuleSet {
  const rules = (verdict: Verdict) => written[verdict].map((text) => rule(text, verdict));
  const own = { deny: rules('deny'), ask: rules('ask'), notify: rules('notify'), allow: rules('allow') };
  const bindsTools = Object.values(own).some((list) => list.some(({ kind }) => kind === 'tool'));
  return { prohibited: rules('prohibited'), ...own, bindsTools };
}

const verdictOf = (written: Written, subjects: readonly Subject[]): Verdict =>
  judge(ruleSet(written), subjects, () => FACTS).verdict;

const isOpen = (verdict: Verdict): boolean => verdict === 'allow' || verdict === 'notify';

const CONDITIONS = ['', ' when true', ' when false', ' when args.n == 1', ' when args.missing'];
const TARGETS = [
  'llm u/*',
  'llm u/a',
  'llm u/a*',
  'llm v/*',
  'http GET https://h.example/**',
  'http * https://**/**',
];
const TOOL_TARGETS = ['tool *', 'tool read', 'tool r*', 'hosted u/*'];

const ruleText = (targets: readonly string[]) =>
  fc.tuple(fc.constantFrom(...targets), fc.constantFrom(...CONDITIONS)).map((parts) => parts.join(''));
const rulesOver = (targets: readonly string[]) => {
  const list = fc.array(ruleText(targets), { maxLength: 3 });
  return fc.record({ prohibited: list, deny: list, ask: list, notify: list, allow: list });
};
const subject: fc.Arbitrary<Subject> = fc.oneof(
  fc.record({
    kind: fc.constant('llm' as const),
    upstream: fc.constantFrom('u', 'v'),
    model: fc.constantFrom('a', 'ab', 'b/a', ''),
  }),
  fc.record({
    kind: fc.constant('http' as const),
    method: fc.constantFrom('GET', 'POST'),
    url: fc.constantFrom('https://h.example/', 'https://i.example/x', 'http://h.example/'),
    declared: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('tool' as const), name: fc.constantFrom('read', 'run') }),
  fc.record({ kind: fc.constant('hosted' as const), upstream: fc.constant('u'), type: fc.constant('web') }),
);
const subjects = fc.array(subject, { minLength: 1, maxLength: 4 });

describe('judge, for all rules', () => {
  const all = rulesOver([...TARGETS, ...TOOL_TARGETS]);

  it('POL-04 never depends on the order of rules or subjects', () => {
    const reversed = (written: Written): Written =>
      Object.fromEntries(
        VERDICTS.map((verdict) => [verdict, written[verdict].toReversed()]),
      ) as unknown as Written;
    fc.assert(
      fc.property(all, subjects, (written, wanted) => {
        expect(verdictOf(reversed(written), wanted.toReversed())).toBe(verdictOf(written, wanted));
      }),
      { numRuns: 1000 },
    );
  });

  // A tool rule binds a role that had none, so adding one may close: the property is about all other kinds.
  it('POL-05 one more allow never closes anything', () => {
    fc.assert(
      fc.property(all, ruleText([...TARGETS, 'hosted u/*']), subjects, (written, more, wanted) => {
        if (!isOpen(verdictOf(written, wanted))) return;
        expect(isOpen(verdictOf({ ...written, allow: [...written.allow, more] }, wanted))).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  it('POL-05 one more deny never opens anything', () => {
    fc.assert(
      fc.property(all, ruleText([...TARGETS, ...TOOL_TARGETS]), subjects, (written, more, wanted) => {
        if (isOpen(verdictOf(written, wanted))) return;
        expect(isOpen(verdictOf({ ...written, deny: [...written.deny, more] }, wanted))).toBe(false);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('judge against the specification', () => {
  it('POL-08 agrees with a naive evaluator', () => {
    fc.assert(
      fc.property(rulesOver([...TARGETS, ...TOOL_TARGETS]), subjects, (written, wanted) => {
        expect(verdictOf(written, wanted)).toBe(naive(written, wanted));
      }),
      { numRuns: 3000 },
    );
  });

  it('POL-29 agrees on every small model: 3 hosts × 3 methods × every set of up to 3 rules', () => {
    const hosts = ['a.example', 'b.example', 'x.b.example'];
    const methods = ['GET', 'POST', 'DELETE'];
    const targets = [
      'http GET https://a.example/**',
      'http * https://b.example/**',
      'http POST https://*.b.example/**',
      'http * https://**/**',
    ];
    const rules = VERDICTS.flatMap((verdict) => targets.map((text) => [verdict, text] as const));
    let judged = 0;
    for (const chosen of subsets(rules, 3)) {
      const written = Object.fromEntries(
        VERDICTS.map((verdict) => [verdict, chosen.filter(([of]) => of === verdict).map(([, text]) => text)]),
      ) as unknown as Written;
      for (const host of hosts) {
        for (const method of methods) {
          const wanted: Subject = {
            kind: 'http',
            method,
            url: `https://${host}/p`,
            declared: host === 'b.example',
          };
          if (verdictOf(written, [wanted]) !== naive(written, [wanted])) {
            expect({ written, wanted, verdict: verdictOf(written, [wanted]) }).toBe(naive(written, [wanted]));
          }
          judged += 1;
        }
      }
    }
    expect(judged).toBe(1351 * 9); // 1 + 20 + 190 + 1140 sets of rules
  });
});

describe('globs', () => {
  const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '*', '-', '.'), maxLength: 8 });
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '-', '.', '/', '*'), maxLength: 10 });

  it('agree with a regular expression that says the same', () => {
    fc.assert(
      fc.property(pattern, text, (glob, candidate) => {
        const expected = regexOf(glob, '[^]*').test(candidate) && (candidate !== '' || !glob.includes('*'));
        expect(compileName(glob)(candidate)).toBe(expected);
      }),
      { numRuns: 5000 },
    );
  });

  it('never let a star cross a slash of a path', () => {
    const segment = pattern.filter((glob) => !glob.includes('**') && glob !== '');
    fc.assert(
      fc.property(fc.array(segment, { minLength: 1, maxLength: 3 }), text, (segments, candidate) => {
        const glob = `/${segments.join('/')}`;
        const path = `/${candidate}`;
        const expected = segments.map((one) =>
          one === '*' ? '[^/]+' : regexOf(one, '[^/]*').source.slice(1, -1),
        );
        expect(compilePath(glob)(path)).toBe(new RegExp(`^/${expected.join('/')}$`).test(path));
      }),
      { numRuns: 5000 },
    );
  });

  it('stay linear on what makes regular expressions explode', () => {
    const glob = compileName(`${'*a'.repeat(200)}*b`);
    expect(glob('a'.repeat(100_000))).toBe(false);
  });
});

/** Straight from the table: for each subject the strictest list with a rule that applies, and the strictest of those. */
function naive(written: Written, wanted: readonly Subject[]): Verdict {
  const bound = VERDICTS.slice(1).some((verdict) =>
    written[verdict].some((text) => text.startsWith('tool ')),
  );
  const verdicts = wanted.map((one): Verdict => {
    const applying = VERDICTS.filter((verdict) =>
      written[verdict].some((text) => applies(text, one, verdict !== 'allow' && verdict !== 'notify')),
    );
    if (one.kind === 'tool' && !bound) return applying.includes('prohibited') ? 'prohibited' : 'allow';
    return applying[0] ?? 'deny';
  });
  return VERDICTS.find((verdict) => verdicts.includes(verdict)) ?? 'deny';
}

function applies(text: string, one: Subject, refuses: boolean): boolean {
  const [target = '', condition] = text.split(' when ');
  const holds: Record<string, boolean> = {
    true: true,
    false: false,
    'args.n == 1': true,
    'args.missing': refuses,
  };
  return targetMatches(target, one, refuses) && (condition === undefined || holds[condition] === true);
}

function targetMatches(target: string, one: Subject, refuses: boolean): boolean {
  const [kind, first = '', url = ''] = target.split(' ');
  if (kind !== one.kind) return false;
  if (one.kind === 'tool') return regexOf(first, '.*').test(one.name);
  if (one.kind === 'http') return urlMatches(first, url, one, refuses);
  if (one.kind !== 'llm')
    return one.kind === 'hosted' && regexOf(first, '.*').test(`${one.upstream}/${one.type}`);
  if (one.model !== '') return regexOf(first, '.*').test(`${one.upstream}/${one.model}`);
  return first.startsWith(`${one.upstream}/`) && (!refuses || first.endsWith('/*'));
}

function urlMatches(
  method: string,
  url: string,
  one: Extract<Subject, { kind: 'http' }>,
  refuses: boolean,
): boolean {
  if (method !== '*' && method !== one.method) return false;
  const loose = url.includes('//*');
  if (loose && one.declared && !refuses) return false;
  const host = url.slice('https://'.length, -'/**'.length);
  const hosts = host === '**' ? '[^/]+' : host.replaceAll('.', '\\.').replace('*', '[^./]+');
  return new RegExp(`^https://${hosts}/.*$`).test(one.url);
}

function regexOf(glob: string, star: string): RegExp {
  const parts = glob.split(/\*+/).map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join(star)}$`);
}

function* subsets<Item>(items: readonly Item[], sizeMax: number, from = 0): Generator<readonly Item[]> {
  yield [];
  if (sizeMax === 0) return;
  for (let index = from; index < items.length; index += 1) {
    for (const rest of subsets(items, sizeMax - 1, index + 1)) yield [items[index]!, ...rest];
  }
}
