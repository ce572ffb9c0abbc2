// The arrows of the layout: who may import whom. `npm run check` fails on any other.
const ambient =
  '^(node:)?(fs|net|http|https|tls|dns|child_process|worker_threads|os|process|timers)(/promises)?$';

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'contract-imports-only-kit',
      comment:
        'contract/ is what both processes agree on; it may use kit/ and the schema, YAML and CEL libraries',
      severity: 'error',
      from: { path: '^contract/' },
      to: {
        pathNot:
          '^(contract/|kit/|node_modules/(zod|yaml|@bufbuild|@opentelemetry)/|(node:)?(crypto|buffer)$)',
      },
    },
    {
      name: 'kit-knows-nothing-of-agents',
      severity: 'error',
      from: { path: '^kit/' },
      to: { path: '^(contract|sidecar|collector|cli)/' },
    },
    {
      name: 'sidecar-never-collector',
      severity: 'error',
      from: { path: '^sidecar/' },
      to: { path: '^(collector|cli)/' },
    },
    {
      name: 'collector-never-sidecar',
      severity: 'error',
      from: { path: '^collector/' },
      to: { path: '^(sidecar|cli)/' },
    },
    {
      name: 'stages-never-import-each-other',
      severity: 'error',
      from: { path: '^sidecar/stages/([^/]+)' },
      to: { path: '^sidecar/stages/', pathNot: '^sidecar/stages/$1' },
    },
    {
      name: 'dialects-are-pure',
      severity: 'error',
      from: { path: '^sidecar/dialects/' },
      to: { pathNot: '^(sidecar/dialects/|contract/|kit/|node_modules/|(node:)?(crypto|buffer|zlib)$)' },
    },
    {
      name: 'state-is-pure',
      severity: 'error',
      from: { path: '^sidecar/state/' },
      to: {
        pathNot:
          '^(sidecar/(state|dialects/(dialect|metered)|call)|contract/|kit/|node_modules/|(node:)?(crypto|buffer)$)',
      },
    },
    {
      name: 'collector-rooms-never-import-each-other',
      comment: 'collector/main and collector/pipeline join them; api/ reads control/ and store/',
      severity: 'error',
      from: { path: '^collector/(receive|queue|store|rollups|alerts|control)/' },
      to: { path: '^collector/(?!$1)[^/]+/' },
    },
    {
      name: 'console-meets-the-collector-on-the-wire',
      comment: 'the console runs in a browser: it shares the contract and nothing else',
      severity: 'error',
      from: { path: '^collector/console/' },
      to: { path: '^(cli|kit|sidecar|collector/(?!console/))' },
    },
    {
      name: 'only-embedded-imports-chdb',
      severity: 'error',
      from: { pathNot: '^collector/store/embedded/' },
      to: { path: 'node_modules/chdb' },
    },
    {
      name: 'ambient-world-only-at-the-edges',
      comment: 'clock, files, network, processes: only where a simulation replaces them',
      severity: 'error',
      from: {
        path: '^(contract|sidecar|collector)/',
        pathNot: '^(sidecar/(accept/|edges/|admin[.]ts)|collector/(receive|queue|store|control|edges)/)',
      },
      to: { path: ambient, dependencyTypesNot: ['type-only'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^collector/console/dist/' },
    parser: 'swc',
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { extensions: ['.ts', '.tsx', '.js', '.json'] },
  },
};
