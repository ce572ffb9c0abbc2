// Backups of the store and the control state.

import { BACKUP_STEPS } from '../../../contract/backup.ts';
import { json, object, ok, text } from './pieces.ts';

export const backupPaths = {
  '/v1/store/backup': {
    get: {
      summary: 'The backup that is being made, or was made last',
      responses: ok('How far it is', { $ref: '#/components/schemas/BackupState' }),
    },
    post: {
      summary: 'Begin a backup of store and control state, in the collector’s own data directory',
      responses: {
        202: { description: 'Begun', content: json({ $ref: '#/components/schemas/BackupState' }) },
        409: { description: 'Another is being made' },
      },
    },
  },
} as const;

export const backupSchemas = {
  BackupState: object({
    id: text,
    step: { enum: BACKUP_STEPS },
    bytes: { type: 'integer' },
    bytes_total: { type: 'integer' },
    path: text,
    failure: text,
  }),
} as const;
