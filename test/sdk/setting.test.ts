// The setting itself: what an upstream gets by each way, over which wire.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { REAL_KEY, type Setting, startSetting, WAYS } from './setting.ts';

const CONFIG = `fleet: sdk
mode: enforce
budgets: none
upstreams:
  echo: { url: "{plain}/echo", speaks: http, credential: real }
  echo-tls: { url: "{tls}/echo-tls", speaks: http, credential: real }
credentials: { real: { from: env:REAL_KEY } }
roles: { r: { allow: ["http GET {plain}/**", "http GET {tls}/**"] } }
agents: { scout: { role: r } }
`;

let setting: Setting;
beforeAll(async () => {
  setting = await startSetting(CONFIG);
  setting.double.answer(({ url }) => ({ body: { url } }));
});
afterAll(() => setting.stop());

describe('a way to the double', () => {
  it.each(WAYS)('%s', async (name) => {
    const { baseUrl, fetch } = await setting.way(name, name === 'intercepted' ? 'echo-tls' : 'echo');
    const answer = await fetch(`${baseUrl}/x?y=1`);
    expect(await answer.json()).toEqual({ url: `/${name === 'intercepted' ? 'echo-tls' : 'echo'}/x?y=1` });
    const received = setting.double.received.at(-1)!;
    expect(received.encrypted).toBe(name === 'intercepted');
    expect(received.headers.authorization).toBe(`Bearer ${REAL_KEY}`);
    expect(await setting.rowOf(answer)).toMatchObject({ status: 'success' });
  });
});
