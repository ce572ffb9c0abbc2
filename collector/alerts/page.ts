// What a channel is told, whoever it is: named, counted, with a link and the next command. Made when it happens and kept
// as it is in the outbox, so that a late page says what was so when it fired.

import { hash } from 'node:crypto';
import type { Incident, Page, PageAction } from '../../contract/alert.ts';
import type { AlertDefinition } from './definition.ts';
import { filled, shown } from './finding.ts';

export interface Scene {
  readonly fleet: string;
  /** Where the console is, without trailing slash. */
  readonly consoleUrl: string;
}

export function pageOf(
  action: PageAction,
  definition: AlertDefinition,
  incident: Incident,
  { fleet, consoleUrl }: Scene,
): Page {
  const { alert, severity, key, agent, task, owner, summary, details } = incident;
  return {
    action,
    dedup_key: dedupKey(fleet, alert, key),
    fleet,
    alert,
    severity,
    key,
    agent,
    task,
    owner,
    rule: details.rule ?? '',
    spend: details.spend ? dollars(details.spend) : '',
    question: definition.question,
    summary,
    value: shown(incident.value, definition.unit),
    details,
    link: agent ? `${consoleUrl}/#/agents/${encodeURIComponent(agent)}` : `${consoleUrl}/#/`,
    next: nextCommand(definition, incident),
    fired_at: new Date(incident.firedMs ?? incident.sinceMs).toISOString(),
  };
}

export const dedupKey = (fleet: string, alert: string, key: string): string =>
  `outrider/${fleet}/${alert}/${hash('sha256', key, 'hex').slice(0, 32)}`;

const dollars = (text: string): string => (/^\d/.test(text) ? `$${Number(text).toFixed(2)}` : text);

/** What an agent chose (a task's name, a path) may hold a quote: it is put into a command only when it holds none. */
const PLAIN = /^[\w.:/@ -]{1,200}$/;

function nextCommand({ next, unit }: AlertDefinition, incident: Incident): string {
  const plain = (text: string): string => (PLAIN.test(text) ? text : '…');
  return filled(
    next,
    {
      ...incident,
      agent: plain(incident.agent),
      task: plain(incident.task),
      owner: plain(incident.owner),
      details: Object.fromEntries(
        Object.entries(incident.details).map(([name, text]) => [name, plain(text)]),
      ),
    },
    unit,
  );
}
