// A page as a Slack incoming webhook takes it: blocks, and words instead of colours. Texts that agents chose are escaped,
// so that none can make a link or call a channel. Source: docs.slack.dev, "Formatting message text", "Block Kit".

import type { Page } from '../../contract/alert.ts';
import type { Message } from './message.ts';

/** Slack takes 3,000 in a text and 2,000 in a field, and refuses the message otherwise. */
const TEXT_CHARACTERS_MAX = 2_900;
const FIELD_CHARACTERS_MAX = 1_900;

/** `url` is the webhook's own, the secret. */
export function slackMessage(page: Page, url: string): Message {
  const body = {
    text: plain(headline(page)),
    blocks: page.action === 'digest' ? digestBlocks(page) : blocksOf(page),
  };
  return { url, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

const WORDS = { critical: 'CRITICAL', warning: 'Warning', info: 'Info' } as const;

function headline({ action, severity, summary, fleet }: Page): string {
  if (action === 'resolve') return `Resolved: ${summary}`;
  if (action === 'digest') return `${fleet}: ${summary}`;
  return `${action === 'test' ? 'Test, ' : ''}${WORDS[severity]}: ${summary}`;
}

function blocksOf(page: Page): object[] {
  const facts = Object.entries({
    Agent: page.agent,
    Task: page.task,
    Owner: page.owner,
    Rule: page.rule,
    Spend: page.spend,
    'Spent by': page.details.spent_by ?? '',
    Since: page.fired_at,
  }).filter(([, text]) => text !== '');
  return [
    section(`*${plain(headline(page))}*\n${plain(page.question)}`),
    ...(facts.length > 0
      ? [
          {
            type: 'section',
            fields: facts.map(([name, text]) =>
              markdown(`*${name}*\n${plain(text).slice(0, FIELD_CHARACTERS_MAX)}`),
            ),
          },
        ]
      : []),
    ...(page.action === 'resolve' ? [] : [section(`Next: \`${plain(page.next).replaceAll('`', "'")}\``)]),
    {
      type: 'context',
      elements: [markdown(`<${page.link}|Open in Outrider> · ${plain(page.fleet)} · ${page.alert}`)],
    },
  ];
}

function digestBlocks(page: Page): object[] {
  const sections = Object.entries(page.details).map(([title, table]) =>
    section(`*${plain(title)}*\n\`\`\`${plain(table).replaceAll('```', "'''")}\`\`\``),
  );
  return [section(`*${plain(headline(page))}*`), ...sections];
}

/** Verbatim: no bare URL becomes a link, no name a mention. */
const markdown = (text: string) => ({
  type: 'mrkdwn',
  text: text.slice(0, TEXT_CHARACTERS_MAX),
  verbatim: true,
});
const section = (text: string) => ({ type: 'section', text: markdown(text) });
const plain = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
