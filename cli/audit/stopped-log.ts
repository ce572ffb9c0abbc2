// The log of a collector that does not run, asked as one that does: the same routes, without a network between.

import { Hono } from 'hono';
import { auditRoutes } from '../../collector/api/audit.ts';
import { ApiError } from '../../collector/api/failures.ts';
import type { ApiEnvironment } from '../../collector/api/guards.ts';
import { type CollectorClient, clientOf } from '../collector-client.ts';
import type { Io } from '../command.ts';
import { logTo } from '../process.ts';
import { type StoppedCollector, withStoppedCollector } from '../stopped-collector.ts';

/** What `use` answers; undefined when a collector runs on the directory, or none ever has. */
export function withStoppedLog<T>(
  dataDirectory: string,
  io: Io,
  use: (collector: CollectorClient) => Promise<T>,
): Promise<T | undefined> {
  return withStoppedCollector(dataDirectory, logTo(io, 'audit'), (stopped) => {
    const api = routesOf(stopped);
    return use(clientOf(dataDirectory, async (path, request) => api.request(path, request)));
  });
}

function routesOf(stopped: StoppedCollector): Hono<ApiEnvironment> {
  const { store, pipeline, audit, auditFiles } = stopped;
  const api = new Hono<ApiEnvironment>();
  api.onError((failure, context) => {
    if (!(failure instanceof ApiError)) throw failure;
    return context.json({ error: { message: failure.message } }, failure.status);
  });
  auditRoutes(api, {
    ...stopped,
    log: audit,
    files: auditFiles,
    ask: (sql, parameters) => store.query(sql, parameters),
    drain: () => pipeline.drain(),
  });
  return api;
}
