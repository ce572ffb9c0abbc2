// A page as PagerDuty's Events API v2 takes it. The same dedup_key opens one incident however often it is sent; resolve
// and acknowledge need nothing else. Source: developer.pagerduty.com, "Send an alert event".

import type { Page } from '../../contract/alert.ts';
import type { Message } from './message.ts';

export const PAGERDUTY_URL = 'https://events.pagerduty.com/v2/enqueue';
const SUMMARY_CHARACTERS_MAX = 1_024;

/** `key` is the routing key of an Events API v2 integration. */
export function pagerdutyMessage(page: Page, key: string, url: string): Message {
  const action = page.action === 'acknowledge' || page.action === 'resolve' ? page.action : 'trigger';
  const event = { routing_key: key, event_action: action, dedup_key: page.dedup_key };
  const body = action === 'trigger' ? { ...event, ...triggerOf(page) } : event;
  return { url, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

function triggerOf(page: Page): object {
  const { agent, task, owner, rule, spend, value, question, next, details } = page;
  return {
    payload: {
      summary: page.summary.slice(0, SUMMARY_CHARACTERS_MAX),
      source: agent || page.fleet,
      severity: page.severity,
      timestamp: page.fired_at,
      component: details.upstream ?? details.name ?? agent,
      group: page.fleet,
      class: page.alert,
      custom_details: { ...details, question, agent, task, owner, rule, spend, value, next },
    },
    links: [{ href: page.link, text: 'Open in Outrider' }],
    client: 'Outrider',
    client_url: page.link,
  };
}
