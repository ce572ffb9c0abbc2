// Somebody is woken: a real sidecar refuses, a real collector pages, and `kill -9` between the two loses no page and opens
// no incident twice.

import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { AlertList } from '../../contract/alert.ts';
import { startProvider } from '../../examples/provider/provider.ts';
import { type PagerdutyDouble, type PagerdutyIncident, startPagerduty } from '../support/pagerduty.ts';
import {
  control,
  runOutrider,
  type Started,
  startOutrider,
  temporaryDirectory,
  until,
  writeConfig,
} from '../support/processes.ts';

// Each starts processes again, or waits until what an alert looks at has passed.
vi.setConfig({ testTimeout: 120_000 });

const KEY = '0123456789abcdef0123456789abcdef';
const LISTEN =
  'listen: { proxy: 127.0.0.1:0, admin: 127.0.0.1:0, otlp: 127.0.0.1:0, control: 127.0.0.1:0, sql: 127.0.0.1:0 }';

let provider: Awaited<ReturnType<typeof startProvider>>;
let pagerduty: PagerdutyDouble;
let outrider: Started;
let data: string;
let start: () => Promise<Started>;

beforeAll(async () => {
  provider = await startProvider({});
  pagerduty = await startPagerduty();
  const directory = temporaryDirectory('alerts');
  const config = writeConfig(
    directory,
    `fleet: paged
budgets: none
upstreams: { search: { url: "${provider.url}/search", speaks: http } }
prohibited: ["http DELETE ${provider.url}/search/**"]
roles: { r: { allow: ["http GET ${provider.url}/search/**"], deny: ["http PUT ${provider.url}/search/**"] } }
agents: { scout: { role: r, owner: leads } }
owners: { leads: { pagerduty: env:PD } }
alerts: { critical: pagerduty env:PD }
${LISTEN}
`,
  );
  data = join(directory, 'data');
  start = () =>
    startOutrider(['up', '--config', config, '--data', data], {
      ready: 2,
      env: {
        PD: KEY,
        OUTRIDER_TOKEN: '',
        OUTRIDER_ALERTS_PACE: '900',
        OUTRIDER_PAGERDUTY_URL: pagerduty.url,
      },
    });
  outrider = await start();
});
afterAll(async () => {
  await outrider.kill('SIGTERM');
  await pagerduty.close();
  await provider.close();
});

const call = (method: string, path: string): Promise<Response> =>
  fetch(`${outrider.listen.sidecar!.proxy}/search/${path}`, { method });
const incidentOf = (target: string): Promise<PagerdutyIncident> =>
  pagerduty.until(({ incidents }) =>
    incidents.find(({ details }) => String(details.target).endsWith(target)),
  );
const alerts = () => control<AlertList>(outrider.listen.collector!.control!, data, '/v1/alerts');
const command = (...args: string[]) =>
  runOutrider(['alerts', ...args, '--collector', outrider.listen.collector!.control!, '--data', data], {
    env: { OUTRIDER_TOKEN: '' },
  });

describe('a prohibited act', () => {
  it('pages with agent, task, owner and rule; a denied act and an allowed one wake nobody', async () => {
    expect((await call('PUT', 'denied')).status).toBe(403);
    expect((await call('GET', 'allowed')).status).toBe(200);
    expect((await call('DELETE', 'one')).status).toBe(403);
    const incident = await incidentOf('/search/one');
    expect(incident).toMatchObject({
      severity: 'critical',
      class: 'prohibited-act',
      details: { agent: 'scout', owner: 'leads', rule: `http DELETE ${provider.url}/search/**` },
    });
    expect(incident.details.task).toMatch(/./);
    const { active, definitions } = await alerts();
    expect(active).toMatchObject([{ alert: 'prohibited-act', agent: 'scout', acknowledged_by: null }]);
    expect(definitions.filter(({ failing }) => failing !== '')).toEqual([]);
    expect(pagerduty.incidents).toHaveLength(1);
  });
});

describe('a collector that is killed', () => {
  it('between firing and delivery sends the page when it is back, once', async () => {
    pagerduty.answerNext(...Array.from({ length: 20 }, () => null));
    await call('DELETE', 'two');
    await until(alerts, ({ undelivered }) => undelivered.length > 0, 60_000);
    await outrider.kill('SIGKILL');
    pagerduty.forget();
    outrider = await start();
    await incidentOf('/search/two');
    await until(alerts, ({ undelivered }) => undelivered.length === 0, 60_000);
  });

  it('after delivery and before it noted that sends it again, and PagerDuty opens no second incident', async () => {
    pagerduty.hold();
    await call('DELETE', 'three');
    await incidentOf('/search/three');
    await outrider.kill('SIGKILL');
    pagerduty.resume();
    outrider = await start();
    await until(alerts, ({ undelivered }) => undelivered.length === 0, 60_000);
  });

  it('has told each incident once and resolved it once, when all is over', async () => {
    await pagerduty.until(
      ({ incidents }) => incidents.every(({ status }) => status === 'resolved') || undefined,
    );
    await until(alerts, ({ active, undelivered }) => active.length + undelivered.length === 0, 60_000);
    const told = pagerduty.incidents.map(({ details, events }) => [
      String(details.target).split('/').at(-1),
      events.map(({ event_action }) => event_action).join(),
    ]);
    expect(told).toEqual([
      ['one', 'trigger,resolve'],
      ['two', 'trigger,resolve'],
      // PagerDuty had taken it and the collector died before it knew
      ['three', 'trigger,trigger,resolve'],
    ]);
    expect((await alerts()).history).toHaveLength(3);
  });
});

describe('outrider alerts', () => {
  it('test sends one real page and says what the channel answered', async () => {
    const { code, stdout } = await command('test');
    expect(stdout).toMatch(/^critical +delivered +202 .*Event processed/m);
    expect(code).toBe(0);
    await pagerduty.until(({ incidents }) => incidents.find(({ class: of }) => of === 'test'));
    const without = await command('test', '--severity', 'warning');
    expect(without.code).toBe(1);
    expect(without.stderr).toContain('`alerts.warning`');
  });

  it('ack and silence say what they did, and list shows it', async () => {
    await call('DELETE', 'four');
    const incident = await incidentOf('/search/four');
    const acked = await command('ack', 'prohibited-act', '--reason', 'I look at it');
    expect(acked.stdout).toBe('You have 1 of prohibited-act: nobody is told again.\n');
    await pagerduty.until(() => incident.status !== 'triggered' || undefined);
    const silenced = await command('silence', 'agent=scout', '--for', '1h', '--reason', 'a drill');
    expect(silenced.stdout).toMatch(/^Silence \d+: nobody is told of agent=scout for 1h\.$/m);
    await call('DELETE', 'five');
    const { active } = await until(
      alerts,
      (list) => list.active.some(({ key }) => key.endsWith('/five')),
      60_000,
    );
    expect(active.find(({ key }) => key.endsWith('/five'))!.silenced_until).toMatch(/^20/);
    const { stdout, stderr } = await command('list');
    expect(stdout).toMatch(/^critical +prohibited-act .*silenced until .*search\/five/m);
    expect(stderr).toContain('a drill');
    expect(pagerduty.incidents.some(({ details }) => String(details.target).endsWith('/five'))).toBe(false);
    const wrong = await command('silence', 'colour=red', '--for', '1h', '--reason', 'x');
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('colour=red')]);
  });
});
