// POST /v1/store/backup: begin one; 409 while another is being made. GET /v1/store/backup: how far it is. It is made in
// the collector's own data directory: whoever holds a join token may ask for one, and nobody says where files go.

import type { Handler } from 'hono';
import type { Backups } from '../backup.ts';
import { ApiError } from './failures.ts';
import type { ApiEnvironment } from './guards.ts';
import type { Api } from './routes.ts';

export function backupRoutes(api: Api, backups: Backups): void {
  api.post('/v1/store/backup', begin(backups));
  api.get('/v1/store/backup', look(backups));
}

function begin(backups: Backups): Handler<ApiEnvironment> {
  return (context) => {
    const state = backups.start(context.get('caller').sender);
    if (state) return context.json(state, 202);
    throw new ApiError(409, 'backup_running', 'A backup is being made: wait until it has ended.');
  };
}

function look(backups: Backups): Handler<ApiEnvironment> {
  return (context) => {
    const state = backups.state();
    if (state) return context.json(state);
    throw new ApiError(404, 'no_backup', 'This collector has made no backup since it started.');
  };
}
