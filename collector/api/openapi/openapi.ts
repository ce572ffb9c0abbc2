// The control API described for programs (OpenAPI 3.1), by hand and short, one page for each noun; a test holds it to
// the routes that exist.

import { agentPaths, agentSchemas } from './agents.ts';
import { alertPaths, alertSchemas } from './alerts.ts';
import { auditPaths } from './audit.ts';
import { backupPaths, backupSchemas } from './backups.ts';
import { budgetPaths, budgetSchemas } from './budgets.ts';
import { consolePaths } from './console.ts';
import { letterPaths, letterSchemas } from './dead-letters.ts';
import { erasurePaths } from './erase.ts';
import { modePaths, modeSchemas } from './modes.ts';
import { processPaths } from './process.ts';
import { quarantinePaths, quarantineSchemas } from './quarantine.ts';
import { rebuildPaths, rebuildSchemas } from './rebuild.ts';
import { retentionPaths, retentionSchemas } from './retention.ts';
import { sessionPaths } from './sessions.ts';
import { setAsidePaths, setAsideSchemas } from './set-aside.ts';
import { tokenPaths, tokenSchemas } from './tokens.ts';
import { toolPaths, toolSchemas } from './tools.ts';

export const OPENAPI = {
  openapi: '3.1.0',
  info: {
    title: 'Outrider control API',
    version: '1',
    description:
      'Amounts are whole nanodollars or tokens as decimal strings. Failures are {"error":{"code","message"}}.',
  },
  security: [{ joinToken: [] }, { session: [] }],
  paths: {
    ...budgetPaths,
    ...agentPaths,
    ...modePaths,
    ...toolPaths,
    ...quarantinePaths,
    ...alertPaths,
    ...letterPaths,
    ...auditPaths,
    ...backupPaths,
    ...retentionPaths,
    ...erasurePaths,
    ...rebuildPaths,
    ...setAsidePaths,
    ...consolePaths,
    ...sessionPaths,
    ...tokenPaths,
    ...processPaths,
  },
  components: {
    securitySchemes: {
      joinToken: { type: 'http', scheme: 'bearer' },
      // The cookie's name ends in the port under which the collector was called.
      session: { type: 'apiKey', in: 'cookie', name: 'outrider-4319' },
    },
    schemas: {
      ...budgetSchemas,
      ...agentSchemas,
      ...modeSchemas,
      ...toolSchemas,
      ...quarantineSchemas,
      ...alertSchemas,
      ...letterSchemas,
      ...backupSchemas,
      ...retentionSchemas,
      ...rebuildSchemas,
      ...tokenSchemas,
      ...setAsideSchemas,
    },
  },
} as const;
