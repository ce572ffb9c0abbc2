// Who needs a person, most urgent first: alerts, acts that wait for a yes, agents out of money, instances gone quiet.

import type { ReactNode } from 'react';
import type { AgentLine, BudgetLine } from '../../../../contract/budget.ts';
import type { FleetAnswer } from '../../../../contract/console.ts';
import { plural } from '../format.ts';
import { agentHref, callsHref, href, traceHref } from '../route.ts';
import type { ActiveAlert } from '../use-alerts.ts';
import { shareOf } from './budgets.tsx';
import { Ago } from './values.tsx';

export interface Need {
  readonly key: string;
  readonly urgency: 'critical' | 'warning' | 'info';
  /** What kind of thing it is, in a word or two. */
  readonly kind: string;
  readonly what: string;
  readonly who: string;
  readonly since: string | null;
  readonly href: string;
}

const ORDER = { critical: 0, warning: 1, info: 2 } as const;
const SHOWN_MAX = 12;
/** What was away for longer has been taken away. */
const AWAY_MS_MAX = 86_400_000;
const AWAY_SINGLY_MAX = 3;

export function needsOf(seen: {
  readonly fleet: FleetAnswer;
  readonly budgets: readonly BudgetLine[];
  readonly instances: readonly AgentLine[];
  readonly alerts: readonly ActiveAlert[] | null;
  readonly nowMs: number;
}): Need[] {
  const { fleet, budgets, instances, alerts, nowMs } = seen;
  const needs = [
    ...(alerts ?? []).filter(({ silenced_until }) => !silenced_until).map(ofAlert),
    ...degraded(instances),
    // Where alerts are evaluated, they say this already, and to its owner too.
    ...(alerts ? [] : budgets.filter(({ level }) => level !== 'task').flatMap(ofBudget)),
    ...fleet.waiting.map(ofWaiting),
    ...overBudget(fleet),
    ...quiet(instances, nowMs),
  ];
  return needs.sort((a, b) => ORDER[a.urgency] - ORDER[b.urgency]);
}

const ofAlert = (alert: ActiveAlert): Need => ({
  key: `alert ${alert.alert} ${alert.key}`,
  urgency: alert.acknowledged_by ? 'info' : urgencyOf(alert.severity),
  kind: named(alert),
  what: alert.summary,
  who: [alert.agent, alert.owner].filter((text) => text !== '').join(' · '),
  since: alert.fired_at,
  href: alert.agent === '' ? href([]) : agentHref(alert.agent),
});

/** `task-overspent` as people write it. */
function named({ alert, acknowledged_by }: ActiveAlert): string {
  const words = alert.replaceAll('-', ' ');
  return acknowledged_by ? `Seen: ${words}` : words.charAt(0).toUpperCase() + words.slice(1);
}

const urgencyOf = (severity: string): Need['urgency'] =>
  severity === 'critical' || severity === 'warning' ? severity : 'info';

function ofBudget(line: BudgetLine): Need[] {
  const used = shareOf(line.posted, line.limit);
  if (used < 0.9) return [];
  return [
    {
      key: `budget ${line.level} ${line.name} ${line.window} ${line.unit}`,
      urgency: used >= 1 && line.level !== 'agent' ? 'critical' : 'warning',
      kind: used >= 1 ? 'Budget used up' : 'Budget nearly used up',
      what: `${(used * 100).toFixed(0)} % of the ${line.level}’s ${line.window} is spent`,
      who: line.name,
      since: null,
      href: line.level === 'agent' ? agentHref(line.name) : href([]),
    },
  ];
}

const ofWaiting = (line: FleetAnswer['waiting'][number]): Need => ({
  key: `waiting ${line.agent} ${line.target}`,
  urgency: 'warning',
  kind: 'Waits for a yes',
  what: line.calls > 1 ? `${line.target}, asked ${line.calls} times` : line.target,
  who: [line.agent, line.owner].filter((text) => text !== '').join(' · '),
  since: line.last,
  href: traceHref(line.trace_id, line.span_id),
});

function overBudget({ refusals }: FleetAnswer): Need[] {
  return refusals
    .filter(({ refusal }) => refusal === 'over_budget')
    .map(({ agent, calls, last }) => ({
      key: `over ${agent}`,
      urgency: 'warning' as const,
      kind: 'Out of money',
      what: `${plural(calls, 'call')} refused: the budget did not cover them`,
      who: agent,
      since: last,
      href: callsHref({ agent, refusal: 'over_budget' }),
    }));
}

const degraded = (instances: readonly AgentLine[]): Need[] =>
  instances
    .filter(({ health }) => health === 'degraded')
    .map(({ name, instance, last_seen }) => ({
      key: `degraded ${name} ${instance}`,
      urgency: 'critical' as const,
      kind: 'Degraded',
      what: 'The sidecar cannot write its journal: nothing new leaves',
      who: `${name} on ${instance}`,
      since: last_seen,
      href: agentHref(name),
    }));

/** An agent whose every instance is away, and was not before today. */
function quiet(instances: readonly AgentLine[], nowMs: number): Need[] {
  const live = new Set(instances.filter(({ health }) => health !== 'away').map(({ name }) => name));
  const latest = new Map<string, string>();
  for (const { name, last_seen } of instances) {
    if (!live.has(name) && last_seen > (latest.get(name) ?? '')) latest.set(name, last_seen);
  }
  const gone = [...latest].filter(([, lastSeen]) => nowMs - Date.parse(lastSeen) < AWAY_MS_MAX);
  if (gone.length > AWAY_SINGLY_MAX) return [allAway(gone)];
  return gone.map(([name, lastSeen]) => ({
    key: `away ${name}`,
    urgency: 'info' as const,
    kind: 'Away',
    what: 'No sidecar of this agent has been heard of',
    who: name,
    since: lastSeen,
    href: agentHref(name),
  }));
}

const allAway = (gone: readonly (readonly [string, string])[]): Need => ({
  key: 'away',
  urgency: 'info',
  kind: 'Away',
  what: `No sidecar of ${gone.length} agents has been heard of`,
  who: `${gone
    .slice(0, 3)
    .map(([name]) => name)
    .join(', ')} …`,
  since:
    gone
      .map(([, lastSeen]) => lastSeen)
      .sort()
      .at(-1) ?? null,
  href: href([]),
});

export function Needs({
  needs,
  range,
}: {
  readonly needs: readonly Need[];
  readonly range: string;
}): ReactNode {
  if (needs.length === 0) {
    return (
      <p className="empty">Nobody. Nothing waits for an answer, and no budget ran out in the last {range}.</p>
    );
  }
  return (
    <>
      <ul className="needs">
        {needs.slice(0, SHOWN_MAX).map((need) => (
          <li key={need.key} data-urgency={need.urgency}>
            <a data-row href={need.href}>
              <span className="need-kind">{need.kind}</span>
              <span className="need-what">{need.what}</span>
              <span className="need-who">{need.who}</span>
              <span className="need-since">{need.since !== null && <Ago iso={need.since} />}</span>
            </a>
          </li>
        ))}
      </ul>
      {needs.length > SHOWN_MAX && <p className="more">and {needs.length - SHOWN_MAX} more</p>}
    </>
  );
}
