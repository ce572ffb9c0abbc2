// The reference fleet: twenty agents that make articles, who they are, what they may spend, and the figures its operators
// reported for a month. Everything else about the demo is derived from this page.

export const ROLES = [
  'scout',
  'keyword',
  'strategist',
  'research',
  'writer',
  'editor',
  'seo',
  'image',
  'social',
  'publisher',
  'analytics',
] as const;
export type Role = (typeof ROLES)[number];

export interface Member {
  readonly name: string;
  readonly role: Role;
  /** Upstream and model, as rules name them. */
  readonly model: string;
  readonly dollarsPerMonth: number;
}

const OPUS = 'anthropic/claude-opus-4-20250514';
const HAIKU = 'anthropic/claude-3-5-haiku-20241022';
const GPT = 'openai/gpt-4o';
const GPT_MINI = 'openai/gpt-4o-mini';
const FLUX = 'images/flux-pro';

const HIRED: readonly (readonly [Role, count: number, model: string, dollars: number])[] = [
  ['scout', 1, GPT, 200],
  ['keyword', 1, HAIKU, 100],
  ['strategist', 1, OPUS, 300],
  ['research', 3, GPT, 150],
  ['writer', 4, OPUS, 400],
  ['editor', 2, OPUS, 250],
  ['seo', 1, HAIKU, 80],
  ['image', 2, FLUX, 300],
  ['social', 3, GPT_MINI, 50],
  ['publisher', 1, HAIKU, 30],
  ['analytics', 1, GPT_MINI, 40],
];

/** Several of a role are numbered: `writer-1` … `writer-4`; one alone is called by its role. */
export const MEMBERS: readonly Member[] = HIRED.flatMap(([role, count, model, dollarsPerMonth]) =>
  Array.from({ length: count }, (_, index) => ({
    name: count === 1 ? role : `${role}-${index + 1}`,
    role,
    model,
    dollarsPerMonth,
  })),
);

export const membersOf = (role: Role): readonly Member[] => MEMBERS.filter((member) => member.role === role);

/** Of several alike, the one whose turn it is for this article. Articles count from 1. */
export function memberFor(role: Role, article: number): Member {
  const alike = membersOf(role);
  return alike[(article - 1) % alike.length]!;
}

export function memberNamed(name: string): Member {
  const found = MEMBERS.find((member) => member.name === name);
  if (!found) throw new Error(`The fleet has no agent named ${name}.`);
  return found;
}

/** Every twelfth article is sent back by its editor once: 8 % of 72. */
export const REWORK_EVERY = 12;
export const isReworked = (article: number): boolean => article % REWORK_EVERY === 0;

export const taskOf = (article: number): string => `article-${String(article).padStart(3, '0')}`;

/** Who grants the work, first in every lineage. */
export const GRANTOR = 'head-of-content';

export const MONTH_HOURS = 720;

/** One month of the reference fleet, as its operators told it. */
export const REFERENCE = {
  articles: 72,
  dollarsPerArticle: 51,
  tokens: 45_000_000,
  hoursToPublished: 6.2,
  reworkedShare: 0.08,
} as const;
