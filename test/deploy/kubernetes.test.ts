// The Kubernetes manifest: what it names is there, every container is as the `restricted` standard wants it, and its config
// and environment run here. No cluster has been asked.

import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { expectRuns, expectWholeConfig, shipped } from './shipped.ts';

interface Container {
  readonly name: string;
  readonly args?: readonly string[];
  readonly restartPolicy?: string;
  readonly env?: readonly { name: string; value?: string; valueFrom?: { fieldRef: { fieldPath: string } } }[];
  readonly ports?: readonly { name: string; containerPort: number }[];
  readonly volumeMounts?: readonly { name: string; mountPath: string }[];
  readonly securityContext?: object;
  readonly resources?: { limits?: { memory?: string } };
  readonly startupProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly livenessProbe?: Probe;
}

interface Probe {
  readonly httpGet: { path: string; port: string };
}

interface PodTemplate {
  readonly metadata: { labels: Readonly<Record<string, string>> };
  readonly spec: {
    readonly terminationGracePeriodSeconds: number;
    readonly securityContext: object;
    readonly containers: readonly Container[];
    readonly initContainers?: readonly Container[];
    readonly volumes?: readonly {
      name: string;
      configMap?: { name: string };
      secret?: { secretName: string };
    }[];
  };
}

interface Thing {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { name: string; namespace?: string };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: {
    readonly selector?: { readonly matchLabels?: Readonly<Record<string, string>> };
    readonly ports?: readonly { targetPort: string; port: number }[];
    readonly template?: PodTemplate;
    readonly serviceName?: string;
    readonly volumeClaimTemplates?: readonly { metadata: { name: string } }[];
  };
}

const documents = parseAllDocuments(shipped('deploy/kubernetes/outrider.yaml'));
const things = documents.map((document) => document.toJS() as Thing);
const named = (kind: string, name: string) =>
  things.find((thing) => thing.kind === kind && thing.metadata.name === name);
const workloads = things.filter(({ spec }) => spec?.template !== undefined);
const config = named('ConfigMap', 'outrider')?.data?.['outrider.yaml'] ?? '';
const containersOf = ({ spec }: Thing): readonly Container[] => {
  const pod = spec!.template!.spec;
  return [...(pod.initContainers ?? []), ...pod.containers];
};
const sidecar = named('Deployment', 'scout')!.spec!.template!.spec.initContainers![0]!;
const collector = named('StatefulSet', 'outrider-collector')!.spec!.template!.spec.containers[0]!;

/** As the kubelet fills it in. */
function environmentOf(container: Container, template: PodTemplate): Record<string, string> {
  const env: Record<string, string> = {};
  for (const { name, value, valueFrom } of container.env ?? []) {
    const label = /^metadata\.labels\['(.*)'\]$/.exec(valueFrom?.fieldRef.fieldPath ?? '')?.[1];
    const given = label === undefined ? 'pod-1' : (template.metadata.labels[label] ?? '');
    env[name] = valueFrom ? given : (value ?? '').replace(/\$\((\w+)\)/g, (_, other: string) => env[other]!);
  }
  return env;
}

describe('deploy/kubernetes', () => {
  it('is YAML without mistakes, all in its own namespace', () => {
    expect(documents.flatMap(({ errors, warnings }) => [...errors, ...warnings])).toEqual([]);
    for (const { kind, metadata } of things)
      expect(metadata.namespace).toBe(kind === 'Namespace' ? undefined : 'outrider');
  });

  it.each(workloads.map((thing) => [thing.metadata.name, thing] as const))(
    '%s selects its own pods, and mounts only volumes it has',
    (_, { spec }) => {
      const { template, selector, volumeClaimTemplates = [] } = spec!;
      expect(template!.metadata.labels).toMatchObject(selector!.matchLabels!);
      const volumes = [
        ...(template!.spec.volumes ?? []).map(({ name }) => name),
        ...volumeClaimTemplates.map(({ metadata }) => metadata.name),
      ];
      for (const container of containersOf({ spec } as Thing))
        for (const { name } of container.volumeMounts ?? []) expect(volumes).toContain(name);
      for (const { configMap } of template!.spec.volumes ?? [])
        if (configMap) expect(named('ConfigMap', configMap.name)).toBeDefined();
    },
  );

  it.each(
    workloads.flatMap((thing) =>
      containersOf(thing).map((container) => [container.name, container, thing] as const),
    ),
  )('%s is as the restricted standard wants it, and has a limit of memory', (_, container, thing) => {
    expect(container.securityContext).toMatchObject({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    expect(thing.spec!.template!.spec.securityContext).toMatchObject({
      runAsNonRoot: true,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(container.resources?.limits?.memory).toMatch(/^\d+[MG]i$/);
  });

  it('asks at ports and paths that are served', () => {
    for (const { startupProbe, readinessProbe, livenessProbe, ports } of [sidecar, collector]) {
      expect([startupProbe, readinessProbe, livenessProbe].map((probe) => probe?.httpGet.path)).toEqual([
        '/readyz',
        '/readyz',
        '/healthz',
      ]);
      for (const probe of [startupProbe, readinessProbe, livenessProbe])
        expect(ports?.map(({ name }) => name)).toContain(probe?.httpGet.port);
    }
    const service = named('Service', 'outrider-collector')!;
    for (const { targetPort, port } of service.spec!.ports!)
      expect(collector.ports?.find(({ name }) => name === targetPort)?.containerPort).toBe(port);
  });

  it('starts the sidecar before the agent and stops it after, with time to drain', async () => {
    expect(sidecar.restartPolicy).toBe('Always');
    const { drainMs, collector: url, listen } = await expectWholeConfig(config);
    for (const { spec } of workloads)
      expect(spec!.template!.spec.terminationGracePeriodSeconds * 1000).toBeGreaterThanOrEqual(
        drainMs + 45_000,
      );
    expect(new URL(url).hostname).toBe('outrider-collector');
    expect(listen.proxy).toBe('127.0.0.1:4320');
  });

  it('keeps real keys out of the agent’s container', () => {
    const agent = named('Deployment', 'scout')!.spec!.template!.spec.containers[0]!;
    expect(agent.volumeMounts ?? []).toEqual([]);
    expect(agent.env?.every(({ valueFrom }) => valueFrom === undefined)).toBe(true);
  });

  it('runs: config and environment as they are shipped', { timeout: 90_000 }, async () => {
    const scout = named('Deployment', 'scout')!.spec!.template!;
    const env = environmentOf(sidecar, scout);
    expect(env.OUTRIDER_AGENT).toBe('scout/pod-1');
    await expectRuns(config, { collector: environmentOf(collector, scout), sidecar: env });
  });
});
