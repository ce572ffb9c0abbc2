// How much waits for an agent, told as OpenTelemetry metrics are: the gauge `outrider.queue.depth`, in OTLP's JSON.

export const QUEUE_REPORT_MS = 5_000;

/** Rejects unless it was taken. */
export async function tellQueueDepth(otlp: string, agent: string, depth: number): Promise<void> {
  const timeUnixNano = String(BigInt(Date.now()) * 1_000_000n);
  const gauge = { dataPoints: [{ timeUnixNano, asInt: String(depth) }] };
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: agent } }] };
  const metrics = [{ name: 'outrider.queue.depth', unit: '{item}', gauge }];
  const answer = await fetch(`${otlp}/v1/metrics`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      resourceMetrics: [{ resource, scopeMetrics: [{ scope: { name: 'agent' }, metrics }] }],
    }),
  });
  await answer.text();
  if (!answer.ok) throw new Error(`The depth of the queue was not taken: ${answer.status}.`);
}
