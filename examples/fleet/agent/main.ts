// One agent of the fleet, a process of its own: takes jobs over HTTP, does one after the other, hands on. Started with
// FLEET_AGENT; ends when its stdin closes, so that none outlives the demo.
//
//   POST /begin            where its sidecar is (again after a restart)
//   POST /jobs             a handoff; 202 at once, or 200 with what came of it where the caller waits
//   POST /incidents/NAME   do that wrong thing now
//   GET  /tally            what it saw of its own calls

import { randomBytes } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { INCIDENTS, type IncidentName, incidentTask } from '../incidents.ts';
import { isReworked, memberNamed, taskOf } from '../plan.ts';
import { spanOf } from '../world/bill.ts';
import { deskOf, type Job } from './desk.ts';
import { INCIDENT_WORK } from './incidents.ts';
import { QUEUE_REPORT_MS, tellQueueDepth } from './queue-depth.ts';
import { openTally } from './tally.ts';
import { type Lineage, openWayOut, type WayOut } from './way-out.ts';
import { WORK } from './work.ts';

const name = process.env.FLEET_AGENT ?? '';
const member = memberNamed(name);
const tally = openTally();
const begun = new EventEmitter();
let out: WayOut | null = null;
/** Jobs taken and not over. */
let waiting = 0;
let reporting = false;
/** The end of the line: each job begins when the one before is over. */
let line: Promise<unknown> = Promise.resolve();

const say = (event: string, more: object = {}): void =>
  void process.stdout.write(`${JSON.stringify({ event, agent: name, ...more })}\n`);

const rootTrace = (): string => `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-01`;

/** As any agent may: how much waits for it, over OTLP. A report that gets lost is followed by the next. */
function reportQueue(otlp: string): void {
  reporting = true;
  const report = (): void => void tellQueueDepth(otlp, name, waiting).catch(() => undefined);
  report();
  setInterval(report, QUEUE_REPORT_MS);
}

function inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
  const turn = line.then(work);
  line = turn.catch(() => undefined);
  return turn;
}

async function doJob(job: Job, traceparent: string): Promise<string> {
  if (job.caller === 'analytics') {
    say('finished', { article: job.article }); // back where it began
    return '';
  }
  const task = taskOf(job.article);
  const lineage: Lineage = { task, traceparent, caller: job.caller, depth: job.depth };
  const material = await WORK[member.role](deskOf(name, job, lineage, ready()));
  const comesAgain =
    (member.role === 'writer' || member.role === 'editor') && isReworked(job.article) && !job.reworked;
  if (!comesAgain) await ready().endTask(name, task, member.role === 'publisher' ? 1 : undefined);
  if (member.role === 'publisher') say('published', { article: job.article });
  return material;
}

async function doIncident(incident: IncidentName): Promise<void> {
  const lineage: Lineage = { task: incidentTask(incident), traceparent: rootTrace(), caller: '', depth: 0 };
  const restarted = async (): Promise<WayOut> => {
    const [way] = (await once(begun, 'begun')) as [WayOut];
    return way;
  };
  await INCIDENT_WORK[incident]({ agent: name, out: ready(), lineage, restarted });
  if (incident !== 'overdue') await ready().endTask(name, lineage.task);
}

function ready(): WayOut {
  if (!out) throw new Error(`${name} was not told where its sidecar is.`);
  return out;
}

async function route(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://agent');
  if (url.pathname === '/tally') {
    return answer(response, 200, { attempts: tally.attempts, received: tally.received });
  }
  const body = await bodyOf(request);
  if (url.pathname === '/begin') {
    const places = body as { proxy: string; admin: string; otlp: string };
    out = await openWayOut(places, member.model, tally);
    if (!reporting) reportQueue(places.otlp);
    begun.emit('begun', out);
    return answer(response, 200, {});
  }
  if (url.pathname === '/jobs') return takeJob(request, response, body as Job);
  const incident = INCIDENTS.find((each) => url.pathname === `/incidents/${each.name}`);
  if (!incident) return answer(response, 404, { error: 'no such door' });
  await inTurn(() => doIncident(incident.name));
  return answer(response, 200, {});
}

async function takeJob(request: IncomingMessage, response: ServerResponse, job: Job): Promise<void> {
  const { traceparent } = request.headers;
  if (typeof traceparent === 'string') tally.arrived(spanOf(traceparent).span);
  waiting += 1;
  const done = inTurn(() => doJob(job, typeof traceparent === 'string' ? traceparent : rootTrace())).finally(
    () => {
      waiting -= 1;
    },
  );
  if (job.waits) return answer(response, 200, { material: await done });
  done.catch((failure: unknown) => say('failed', { article: job.article, failure: String(failure) }));
  answer(response, 202, {});
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  return text === '' ? {} : JSON.parse(text);
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

const server = createServer((request, response) => {
  route(request, response).catch((failure: unknown) => {
    say('failed', { failure: String(failure) });
    answer(response, 500, { error: String(failure) });
  });
});
server.keepAliveTimeout = 600_000; // longer than the demo: no caller meets a connection that is just being closed
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  say('ready', { process: 'agent', listen: { http: `http://127.0.0.1:${port}` } });
});
process.stdin.resume().once('end', () => process.exit(0));
