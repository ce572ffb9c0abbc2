// When is a model the one that a price is for? The library's clauses also hold for names nobody has priced yet:
// `starts_with: claude-sonnet-5` takes claude-sonnet-5-5, `contains: o4-mini` takes my-o4-mini-tune. Here a clause
// counts only when it spells the whole name, but for a version at its end and a place at its front:
//
//   us.anthropic. claude-haiku-4-5 -20251001-v1:0
//   └── place ──┘└──── stem ─────┘└── version ──┘

import type { MatchLogic } from '@pydantic/genai-prices';

/** A date in one of the providers' ways of writing it, a revision of three or four digits, or a moving tag; few, so that no name takes long. */
const VERSION =
  /(?:[-@]20\d{6}|-20\d{2}-\d{2}-\d{2}|-\d{2}-\d{2}|-\d{2}-20\d{2}|-\d{3,4}|-v\d|:\d{1,2}|-latest|@latest|@default|-preview|-exp){1,3}$/;
/** `ft:gpt-4o-2024-08-06:organisation:suffix:id` costs what any tuning of its base costs. */
const TUNED = /^(ft:[^:]+):.*$/;
const PLACE_ENDS = /(?:^|[./:])$/;
const DATE =
  /-20\d{2}(?:-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])|(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]))$/;
const COMPACT_DATE = /-(20\d{2})(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?=-|:|$)/g;

/** Whether the clause spells out `model` (lower case), rather than only a part of a longer name. */
export function isNamedBy(clause: MatchLogic, model: string): boolean {
  return [model, model.replace(COMPACT_DATE, '-$1-$2-$3')].some(
    (name) => reachOf(clause, name) >= stemLength(name),
  );
}

/** `our-finetune-2026-01-31` → `our-finetune`; undefined without a date. */
export function withoutDate(model: string): string | undefined {
  const stem = model.replace(DATE, '');
  return stem === model || stem === '' ? undefined : stem;
}

const stemLength = (model: string): number => model.replace(TUNED, '$1').replace(VERSION, '').length;

/** How far into `model` the clause's own words reach; -1 where it does not hold, or holds in the middle of a name. */
function reachOf(clause: MatchLogic, model: string): number {
  const reachFrom = (index: number, length: number): number =>
    index >= 0 && PLACE_ENDS.test(model.slice(0, index)) ? index + length : -1;
  if ('or' in clause) return Math.max(-1, ...clause.or.map((each) => reachOf(each, model)));
  if ('and' in clause) {
    const reaches = clause.and.map((each) => reachOf(each, model));
    return reaches.includes(-1) ? -1 : Math.max(-1, ...reaches);
  }
  if ('equals' in clause) return model === clause.equals.toLowerCase() ? model.length : -1;
  if ('starts_with' in clause) return reachOfStart(clause.starts_with, model);
  if ('ends_with' in clause) {
    const { length } = clause.ends_with;
    return model.endsWith(clause.ends_with.toLowerCase()) ? reachFrom(model.length - length, length) : -1;
  }
  if ('contains' in clause) {
    return reachFrom(model.indexOf(clause.contains.toLowerCase()), clause.contains.length);
  }
  const match = new RegExp(clause.regex).exec(model);
  return match ? reachFrom(match.index, match[0].length) : -1;
}

const reachOfStart = (start: string, model: string): number =>
  model.startsWith(start.toLowerCase()) ? start.length : -1;
