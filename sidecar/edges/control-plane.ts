// The way to the collector: leases, heartbeats, tasks' ends, recalls (server-sent events), spans. Every call carries
// the join token: OUTRIDER_TOKEN, else the file the collector wrote, read again whenever it was missing or refused.

import { readFileSync } from 'node:fs';
import { type Dispatcher, Pool } from 'undici';
import type {
  Heartbeat,
  HeartbeatAnswer,
  LeaseRequest,
  LeaseResponse,
  Recall,
  TaskEnd,
} from '../../contract/budget.ts';
import type { ClaimedReplay, ReplayClaim, ReplayNotice, ReplayReport } from '../../contract/dead-letter.ts';
import type { ModeNotice } from '../../contract/mode.ts';
import type { PolicyReport } from '../../contract/policy.ts';
import type { QuarantineLine, QuarantineNotice } from '../../contract/quarantine.ts';
import type { ToolLine, ToolReport, ToolsNotice } from '../../contract/tool.ts';
import type { Clock } from '../../kit/clock.ts';

export interface ControlPlane {
  ask(request: LeaseRequest): Promise<LeaseResponse>;
  /** A collector of an older release leaves out what it does not know. */
  heartbeat(beat: Heartbeat): Promise<Partial<HeartbeatAnswer>>;
  /** Which definition of each tool holds. */
  tools(): Promise<ToolLine[]>;
  /** The lines of the tools it is about. */
  reportTools(report: ToolReport): Promise<ToolLine[]>;
  /** Everything held apart. */
  quarantine(): Promise<QuarantineLine[]>;
  endTask(task: string, end: TaskEnd): Promise<void>;
  reportPolicy(report: PolicyReport): Promise<void>;
  /** Something to replay for this agent, which is this instance's alone from now on; null where nothing waits. */
  claimReplay(claim: ReplayClaim): Promise<ClaimedReplay | null>;
  reportReplay(letter: string, attempt: number, report: ReplayReport): Promise<void>;
  /** Keeps bytes by the SHA-256 of their content, and gives them back. */
  putBody(name: string, bytes: Buffer): Promise<void>;
  body(name: string): Promise<Buffer>;
  /** Ships one OTLP request; resolves once it is acknowledged. */
  ship(body: Buffer): Promise<void>;
  /**
   * Follows what the collector says until closed, reconnecting; up to a number of agents. Without an agent's name it hears
   * what is for every sidecar.
   */
  follow(agent: string, instance: string, hear: Partial<Hearing>): void;
  close(): Promise<void>;
}

export interface Hearing {
  recall(recall: Recall): void;
  mode(notice: ModeNotice): void;
  tools(notice: ToolsNotice): void;
  quarantine(notice: QuarantineNotice): void;
  replay(notice: ReplayNotice): void;
}

export interface ControlPlaneOptions {
  /** The collector's control API and its OTLP receiver. */
  readonly controlUrl: string;
  readonly otlpUrl: string;
  readonly tokenFile: string;
  readonly token: string | undefined;
  readonly clock: Clock;
  /** The collector takes spans elsewhere than the config said: what was not acknowledged may be sent again at once. */
  otlpMoved(): void;
}

const CONNECT_TIMEOUT_MS = 1_000;
const ANSWER_TIMEOUT_MS = 5_000;
/**
 * A stream may take long to connect, and the longer it cannot the less often it tries: where the collector's machine is
 * busy, hundreds of streams that give up and come back would fill its queue of connections, and nobody else would get in.
 */
const FOLLOW_CONNECT_MS = 10_000;
const FOLLOW_AGAIN_MS = 1_000;
const FOLLOW_AGAIN_MS_MAX = 4_000;
const CONNECTIONS_MAX = 8;
/** Each agent followed holds a connection; more agents behind one sidecar hear by heartbeat alone. */
const FOLLOWED_MAX = 256;
const EVENT_LINE_CHARACTERS_MAX = 65_536;

/** The collector answered, but not with a yes. */
export class ControlPlaneError extends Error {
  override name = 'ControlPlaneError';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export function createControlPlane(options: ControlPlaneOptions): ControlPlane {
  const pool = (url: string, connections = CONNECTIONS_MAX, connectMs = CONNECT_TIMEOUT_MS): Pool =>
    new Pool(new URL(url).origin, {
      connections,
      connect: { timeout: connectMs },
      headersTimeout: ANSWER_TIMEOUT_MS,
      bodyTimeout: ANSWER_TIMEOUT_MS,
    });
  const control = pool(options.controlUrl);
  // Apart from the rest: a stream never gives its connection back, and leases must not wait for one.
  const streams = pool(options.controlUrl, FOLLOWED_MAX, FOLLOW_CONNECT_MS);
  let otlpUrl = new URL(options.otlpUrl).origin;
  let otlp = pool(otlpUrl);
  let token = options.token;
  let closed = false;
  let followed = 0;

  const authorization = (): string => {
    token ??= readToken(options.tokenFile);
    return `Bearer ${token ?? ''}`;
  };

  const send = async (
    to: Pool,
    path: string,
    type: string,
    body: string | Buffer,
    method: 'POST' | 'PUT' = 'POST',
  ): Promise<Dispatcher.ResponseData> => {
    const answer = await to.request({
      path,
      method,
      headers: { authorization: authorization(), 'content-type': type },
      body,
    });
    if (answer.statusCode < 300) return answer;
    if (answer.statusCode === 401) token = options.token;
    const text = await answer.body.text();
    throw new ControlPlaneError(
      answer.statusCode,
      `the collector answered ${answer.statusCode}: ${text.slice(0, 300)}`,
    );
  };

  const post = async (path: string, message: unknown): Promise<unknown> => {
    const answer = await send(control, path, 'application/json', JSON.stringify(message));
    return answer.body.json();
  };

  const get = async (path: string): Promise<Dispatcher.ResponseData['body']> => {
    const headers = { authorization: authorization() };
    const answer = await control.request({ path, method: 'GET', headers });
    if (answer.statusCode === 200) return answer.body;
    if (answer.statusCode === 401) token = options.token;
    await answer.body.dump();
    throw new ControlPlaneError(answer.statusCode, `the collector answered ${answer.statusCode}`);
  };

  /** The collector says where it takes spans; until it has, they go where the config says. */
  const learnOtlp = ({ otlp_port: port }: Partial<HeartbeatAnswer>): void => {
    const url = new URL(options.controlUrl);
    url.port = String(port ?? '');
    if (port === undefined || url.origin === otlpUrl) return;
    void otlp.close();
    otlpUrl = url.origin;
    otlp = pool(otlpUrl);
    options.otlpMoved();
  };

  const readEvents = async (path: string, hear: Partial<Hearing>, begun: () => void): Promise<void> => {
    const stream = await streams.request({
      path,
      method: 'GET',
      headers: { authorization: authorization(), accept: 'text/event-stream' },
      bodyTimeout: 0,
    });
    if (stream.statusCode !== 200) {
      if (stream.statusCode === 401) token = options.token;
      await stream.body.dump();
      return;
    }
    begun();
    let rest = '';
    let event = '';
    for await (const chunk of stream.body) {
      const lines = (rest + String(chunk)).split('\n');
      rest = (lines.pop() ?? '').slice(0, EVENT_LINE_CHARACTERS_MAX);
      for (const line of lines) {
        if (line.startsWith('event:')) event = line.slice(6).trim();
        if (line.startsWith('data:')) tell(hear, event, line.slice(5));
      }
    }
  };

  return {
    ask: async (request) => (await post('/v1/leases', request)) as LeaseResponse,
    async heartbeat(beat) {
      const answer = (await post('/v1/agents', beat)) as Partial<HeartbeatAnswer>;
      learnOtlp(answer);
      return answer;
    },
    tools: async () => (await (await get('/v1/tools')).json()) as ToolLine[],
    quarantine: async () => (await (await get('/v1/quarantine')).json()) as QuarantineLine[],
    reportTools: async (report) => (await post('/v1/tools', report)) as ToolLine[],
    reportPolicy: async (report) => void (await post('/v1/policy', report)),
    endTask: async (task, end) => void (await post(`/v1/tasks/${encodeURIComponent(task)}`, end)),
    async ship(body) {
      const answer = await send(otlp, '/v1/traces', 'application/x-protobuf', body);
      await answer.body.dump();
    },
    claimReplay: async (claim) => (await post('/v1/dead-letters/claims', claim)) as ClaimedReplay | null,
    async reportReplay(letter, attempt, report) {
      await post(`/v1/dead-letters/${letter}/replays/${attempt}`, report);
    },
    async putBody(name, bytes) {
      const answer = await send(control, `/v1/bodies/${name}`, 'application/octet-stream', bytes, 'PUT');
      await answer.body.dump();
    },
    body: async (name) => Buffer.from(await (await get(`/v1/bodies/${name}`)).arrayBuffer()),
    follow(agent, instance, hear) {
      if (followed >= FOLLOWED_MAX) return;
      followed += 1;
      const path = `/v1/events?agent=${encodeURIComponent(agent)}&instance=${encodeURIComponent(instance)}`;
      let againMs = FOLLOW_AGAIN_MS;
      const begun = (): void => {
        againMs = FOLLOW_AGAIN_MS;
      };
      const again = (): void => {
        if (!closed) options.clock.after(againMs, () => void turn());
        againMs = Math.min(2 * againMs, FOLLOW_AGAIN_MS_MAX);
      };
      const turn = async (): Promise<void> => {
        if (!closed) await readEvents(path, hear, begun).then(again, again);
      };
      void turn();
    },
    async close() {
      closed = true;
      await Promise.all([control.destroy(), streams.destroy(), otlp.destroy()]);
    },
  };
}

/** An event this release does not know is somebody else's. */
function tell(hear: Partial<Hearing>, event: string, data: string): void {
  if (event === 'recall') hear.recall?.(JSON.parse(data) as Recall);
  if (event === 'mode') hear.mode?.(JSON.parse(data) as ModeNotice);
  if (event === 'tools') hear.tools?.(JSON.parse(data) as ToolsNotice);
  if (event === 'quarantine') hear.quarantine?.(JSON.parse(data) as QuarantineNotice);
  if (event === 'replay') hear.replay?.(JSON.parse(data) as ReplayNotice);
}

/** The token the collector wrote, or undefined while there is none. */
function readToken(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (failure) {
    if ((failure as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw failure;
  }
}
