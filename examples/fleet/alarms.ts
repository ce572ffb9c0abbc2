// Whether the planned incidents woke whom they should have, and nobody else: what the collector says has fired, what
// PagerDuty and Slack were told.

import type { AlertLine, AlertList } from '../../contract/alert.ts';
import { type Finding, line } from './finding.ts';
import type { Fleet } from './fleet.ts';
import { INCIDENTS } from './incidents.ts';
import { control, until } from './records.ts';

/** Slow alerts are those that wait until something has gone on for long enough. */
const FIRED_MS = 90_000;
const TOLD_MS = 15_000;

interface Fired {
  readonly severity: string;
  readonly alert: string;
  readonly agent: string;
}

const PLANNED: readonly Fired[] = INCIDENTS.flatMap(({ agent, alerts }) =>
  alerts.map(({ alert, severity }) => ({ agent, alert, severity })),
);

/** Waits until all that was planned has fired; what has fired then is the finding. */
export async function alarmFindings(fleet: Fleet): Promise<Finding[]> {
  const listed = await until(
    () => firedAt(fleet),
    (fired) => PLANNED.every((planned) => countOf(fired, planned) >= countOf(PLANNED, planned)),
    FIRED_MS,
  );
  const critical = PLANNED.filter(({ severity }) => severity === 'critical').length;
  const warnings = PLANNED.length - critical;
  const told = await until(
    async () => ({ pages: fleet.pagerduty.incidents.length, messages: newsOf(fleet).length }),
    ({ pages, messages }) => pages >= critical && messages >= warnings,
    TOLD_MS,
  );
  const names = [...new Set([...PLANNED, ...listed].map(({ alert }) => alert))].sort();
  const falseAlarms = listed.filter((fired) => countOf(PLANNED, fired) === 0);
  return [
    ...names.map((name) => line(`alert ${name}`, agentsOf(PLANNED, name), agentsOf(listed, name))),
    line(
      'false alarms',
      'none',
      falseAlarms.map(({ alert, agent }) => `${alert} ${agent}`).join(', ') || 'none',
    ),
    line('incidents at PagerDuty', critical, told.pages),
    line('warnings at Slack', warnings, told.messages),
  ];
}

async function firedAt(fleet: Fleet): Promise<Fired[]> {
  const { active, history } = await control<AlertList>(fleet, '/v1/alerts');
  return [...active, ...history].map(({ alert, severity, agent }: AlertLine) => ({ alert, severity, agent }));
}

const countOf = (among: readonly Fired[], one: Fired): number =>
  among.filter(
    ({ alert, agent, severity }) => alert === one.alert && agent === one.agent && severity === one.severity,
  ).length;

const agentsOf = (among: readonly Fired[], name: string): string =>
  among
    .filter(({ alert }) => alert === name)
    .map(({ agent, severity }) => `${agent} (${severity})`)
    .sort()
    .join(', ') || 'none';

/** What Slack was told of, without what is over again. */
const newsOf = ({ slack }: Fleet): readonly string[] =>
  slack.messages.filter((text) => !text.startsWith('Resolved:'));
