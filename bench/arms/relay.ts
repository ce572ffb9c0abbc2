// The yardstick: a bare relay, one process, no features, in front of one upstream. `node bench/arms/relay.ts URL`.

import { createServer } from 'node:http';
import { Pool } from 'undici';

const pool = new Pool(process.argv[2]!, { connections: 256, pipelining: 1 });

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const headers: string[] = [];
    for (let i = 0; i < request.rawHeaders.length; i += 2) {
      const name = request.rawHeaders[i]!.toLowerCase();
      if (name !== 'host' && name !== 'connection') headers.push(name, request.rawHeaders[i + 1]!);
    }
    pool.dispatch(
      {
        path: request.url!,
        method: request.method as 'POST',
        headers,
        body: chunks.length > 0 ? Buffer.concat(chunks) : null,
      },
      {
        onRequestStart: () => undefined,
        onResponseStart(controller, status) {
          const raw = controller.rawHeaders as Buffer[];
          const pairs: string[] = [];
          for (let i = 0; i < raw.length; i += 2) {
            const name = raw[i]!.toString('latin1');
            if (!/^(?:connection|keep-alive|transfer-encoding)$/i.test(name))
              pairs.push(name, raw[i + 1]!.toString('latin1'));
          }
          response.writeHead(status, pairs);
        },
        onResponseData: (_, chunk) => void response.write(chunk),
        onResponseEnd: () => void response.end(),
        onResponseError: () => void response.destroy(),
      },
    );
  });
});
server.listen(Number(process.argv[3] ?? 0), '127.0.0.1', () => {
  const { port } = server.address() as { port: number };
  process.stdout.write(`${JSON.stringify({ event: 'ready', url: `http://127.0.0.1:${port}` })}\n`);
});
