import { createServer } from 'node:http';
import { expect, test } from 'vitest';
import { listenOn, PortUnavailable, splitAddress } from '../../kit/listen.ts';

test('port 0 picks a free one and says which', async () => {
  const server = createServer();
  const opened = await listenOn(server, '127.0.0.1:0', 'listen.otlp');
  expect(opened.port).toBeGreaterThan(0);
  expect(opened.url).toBe(`http://127.0.0.1:${opened.port}`);
  server.close();
});

test('a taken port names the key to change', async () => {
  const first = createServer();
  const { port } = await listenOn(first, '127.0.0.1:0', 'listen.otlp');
  const refusal = await listenOn(createServer(), `127.0.0.1:${port}`, 'listen.control').catch(
    (e: unknown) => e,
  );
  expect(refusal).toBeInstanceOf(PortUnavailable);
  expect((refusal as PortUnavailable).message).toContain('listen.control');
  first.close();
});

test('addresses: IPv6 in brackets, and what is none', () => {
  expect(splitAddress('[::1]:80', 'k')).toEqual({ host: '::1', port: 80 });
  for (const wrong of ['', '4320', '127.0.0.1', '127.0.0.1:99999', '::1:80', 'a:b', 'host:-1']) {
    expect(() => splitAddress(wrong, 'listen.sql')).toThrow('listen.sql');
  }
});
