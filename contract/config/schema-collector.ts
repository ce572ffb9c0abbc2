// The sections of outrider.yaml that say what the collector does: where it listens, what it keeps, where it keeps it, whom it
// tells. A part of the one definition in schema.ts.

import { z } from 'zod';
import { CAPTURES, MESSAGES_KEPT } from './config.ts';
import { address, channel, days, header, origin, positiveDuration, secret, url } from './schema-values.ts';

export const collectorSections = {
  alerts: z
    .strictObject({
      critical: channel().optional(),
      warning: channel().optional(),
      digest: channel()
        .refine(({ kind }) => kind !== 'pagerduty', {
          error: 'a digest never pages: send it to slack or a webhook',
        })
        .optional(),
    })
    .optional(),
  export: z
    .array(
      z.strictObject({
        otlp: url({ description: 'Where copies of the spans go.' }),
        headers: z.record(header, secret()).optional(),
        bodies: z.enum(CAPTURES).optional(),
      }),
    )
    .optional(),
  retention: z
    .strictObject({
      traces: days({ default: '30d' }).optional(),
      audit: days({ description: 'At least 90d.', default: '184d' }).optional(),
      bodies: days({ default: '14d' }).optional(),
    })
    .optional(),
  audit: z
    .strictObject({
      key: secret({
        description:
          'file: and the path of an Ed25519 key (PKCS #8 PEM) that signs the log; else one is made.',
      })
        .refine(({ from }) => from === 'file', { error: 'the key that signs is a file: write file:/path' })
        .optional(),
      anchors: z
        .array(
          z.strictObject({
            directory: z.string().min(1).optional().meta({
              description: 'Gets a file for each checkpoint; none is ever written over. An absolute path.',
            }),
            command: z.array(z.string()).min(1).optional().meta({
              description: 'Program and arguments; gets each checkpoint on its standard input.',
            }),
            every: positiveDuration({ description: 'At most so often.', default: '1m' }).optional(),
          }),
        )
        .optional()
        .meta({ description: 'Where checkpoints of the log are told, beyond the reach of who runs it.' }),
    })
    .optional()
    .meta({ description: 'The log of what was accepted, and who else keeps its checkpoints.' }),
  listen: z
    .strictObject({
      proxy: address({ default: '127.0.0.1:4320' }).optional(),
      admin: address({ default: '127.0.0.1:4321' }).optional(),
      otlp: address({ default: '127.0.0.1:4318' }).optional(),
      otlp_grpc: address({
        description: 'Without it a free port where listen.otlp has port 0.',
        default: '127.0.0.1:4317',
      }).optional(),
      control: address({ default: '127.0.0.1:4319' }).optional(),
      sql: address({ default: '127.0.0.1:8123' }).optional(),
      insecure: z.boolean().optional().meta({
        description: 'Lets a listener stand beyond loopback without TLS and tokens.',
        default: false,
      }),
    })
    .optional(),
  otlp: z
    .strictObject({
      allowed_origins: z.array(origin()).optional().meta({
        description: 'Whose pages may send telemetry from a browser, such as https://app.example.',
      }),
      tokens: z.enum(['optional', 'required']).optional().meta({
        description:
          'Whether who sends telemetry must show a token; without one it is context, under any name.',
        default: 'optional',
      }),
    })
    .optional(),
  store: z
    .strictObject({
      clickhouse: z.string().optional().meta({
        description:
          'embedded, the url of a ClickHouse server without a password, or where a url is to be read (env:NAME, file:/path, exec:command).',
        default: 'embedded',
      }),
      cluster: z.string().optional().meta({
        description:
          "The cluster of that server to spread the tables over, by its name in the server's configuration.",
      }),
      messages: z.enum(MESSAGES_KEPT).optional().meta({
        description:
          'How what agents say was said is kept: by_content (each message once, for retention.bodies) or inline, in each span.',
        default: 'by_content',
      }),
      postgres: z.string().optional().meta({
        description:
          'embedded, a url without a password, or where a url is to be read (env:NAME, file:/path, exec:command).',
        default: 'embedded',
      }),
    })
    .optional(),
  collector: url({
    description: 'Where sidecars find the control API.',
    default: 'http://127.0.0.1:4319',
  }).optional(),
};
