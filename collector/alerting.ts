// Joins what alerts need: the definitions that ship, the ledger and the store they ask, the book that forgets nothing,
// and the way out to the channels.

import type { Config } from '../contract/config/config.ts';
import type { Log } from '../kit/log.ts';
import type { Secrets } from '../kit/secrets.ts';
import { createFigures, type FigureSources } from './alert-figures.ts';
import { type Alerts, startAlerts } from './alerts/alerts.ts';
import { parseDefinitions } from './alerts/definition.ts';
import { paceOf } from './alerts/pace.ts';
import { PAGERDUTY_URL } from './alerts/pagerduty.ts';
import { createAlertBook } from './control/alert-book.ts';
import { readAlertFiles } from './edges/alert-files.ts';
import { post } from './edges/post.ts';

export interface AlertingOptions extends FigureSources {
  /** The one in force. */
  config(): Config;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly secrets: Secrets;
  readonly log: Log;
}

/** Throws DefinitionsBroken when a definition has a mistake, or an Error for an OUTRIDER_ALERTS_PACE that is none. */
export function startAlerting(options: AlertingOptions): Alerts {
  const { config, env } = options;
  return startAlerts({
    ...options,
    definitions: parseDefinitions(readAlertFiles()),
    scene: { fleet: config().fleet, consoleUrl: config().collector },
    pace: paceOf(env.OUTRIDER_ALERTS_PACE),
    book: createAlertBook(options.database),
    figures: createFigures(options),
    post,
    pagerdutyUrl: env.OUTRIDER_PAGERDUTY_URL || PAGERDUTY_URL,
    random: Math.random,
  });
}
