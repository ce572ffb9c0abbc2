// The official A2A client, through the sidecar, to an agent made with the official server, in both versions and bindings:
// what rules allow works as it would directly, what they do not is refused as the client understands it, and every
// call has a record.

import { Message, type SendMessageRequest, type Task } from '@a2a-js/sdk';
import type { Client } from '@a2a-js/sdk/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AgentFleet, type Binding, startAgentFleet } from '../a2a/fleet.ts';
import { until } from '../support/processes.ts';

let fleet: AgentFleet;
beforeAll(async () => {
  fleet = await startAgentFleet();
});
afterAll(async () => {
  expect(await fleet.stop()).toBe(0);
});

function saying(text: string, skill?: string): SendMessageRequest {
  const metadata = skill === undefined ? undefined : { skillId: skill };
  const message = Message.fromJSON({ messageId: 'm', role: 'ROLE_USER', parts: [{ text }], metadata });
  return { tenant: '', message, configuration: undefined, metadata: undefined };
}

async function caseOf(client: Client, text: string): Promise<(string | undefined)[]> {
  const cases: (string | undefined)[] = [];
  for await (const event of client.sendMessageStream(saying(text))) cases.push(event.payload?.$case);
  return cases;
}

const WAYS: readonly (readonly [Binding, '0.3' | '1.0'])[] = [
  ['JSONRPC', '1.0'],
  ['JSONRPC', '0.3'],
  ['HTTP+JSON', '1.0'],
  ['HTTP+JSON', '0.3'],
];

describe.each(WAYS)('%s %s', (binding, version) => {
  it('finds the agent by its card, sends, streams and looks at tasks', async () => {
    const client = await fleet.client(binding, version);
    const task = (await client.sendMessage(saying('ships', 'summarise'))) as Task;
    expect(task.artifacts[0]?.parts[0]?.content).toEqual({ $case: 'text', value: 'About ships.' });
    expect(await caseOf(client, 'cars')).toEqual(['task', 'statusUpdate', 'artifactUpdate', 'statusUpdate']);
    expect((await client.getTask({ tenant: '', id: task.id })).status?.state).toBe(task.status?.state);
    await expect(client.getTask({ tenant: '', id: 'nope' })).rejects.toThrow('Task not found');
  });

  it('cancels a task that it follows', async () => {
    const client = await fleet.client(binding, version);
    const stream = client.sendMessageStream(saying('wait'));
    const first = (await stream.next()).value?.payload;
    const id = first?.$case === 'task' ? first.value.id : '';
    await stream.next();
    const followed = client.resubscribeTask({ tenant: '', id });
    await followed.next();
    expect((await client.cancelTask({ tenant: '', id, metadata: undefined })).id).toBe(id);
    const rest: unknown[] = [];
    for await (const event of followed) rest.push(event.payload?.$case);
    expect(rest).toContain('statusUpdate');
  });

  it('is told why it may not, and the agent is not', async () => {
    const client = await fleet.client(binding, version);
    const before = fleet.agent.received.length;
    await expect(client.sendMessage(saying('x', 'publish'))).rejects.toThrow(
      'writer/publish was refused: no rule allows it.',
    );
    await expect(caseOf(client, '')).resolves.toBeDefined();
    expect(fleet.agent.received.length).toBe(before + 1);
  });
});

it('records who was asked what, what became of it, and what it cost', async () => {
  const client = await fleet.client('JSONRPC', '1.0');
  await client.sendMessage(saying('reject', 'summarise'));
  const call = fleet.calls.at(-1)!;
  const [row] = await fleet.actions([call]);
  expect(row).toMatchObject({ target: 'writer/summarise', status: 'failure', cost_usd: 0.01 });
  const kinds = await until(
    () => fleet.query<{ action_type: string }>('SELECT DISTINCT action_type FROM actions'),
    (rows) => rows.length > 0,
  );
  expect(kinds).toEqual([{ action_type: 'handoff' }]);
  const asked = fleet.agent.received.at(-1)!;
  expect(String(asked.headers.baggage)).toContain('outrider.caller=scout');
  expect(asked.headers.traceparent).toMatch(/^00-/);
});

it('weighs where an agent is to call back to', async () => {
  const set = (url: string): Promise<Response> =>
    fetch(`${fleet.proxy}/writer/a2a/rpc`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'a2a-version': '1.0' },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 9,
        method: 'CreateTaskPushNotificationConfig',
        params: { taskId: 'nope', url },
      }),
    });
  expect((await set('https://hooks.example/a2a')).status).toBe(200);
  const elsewhere = await set('https://other.example/a2a');
  expect(elsewhere.status).toBe(403);
  expect(await elsewhere.json()).toMatchObject({ id: 9, error: { data: [{ reason: 'OUT_OF_SCOPE' }] } });
  expect((await set('http://169.254.169.254/')).headers.get('x-outrider-refusal')).toBe(
    'destination_forbidden',
  );
});
