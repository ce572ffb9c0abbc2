// `outrider sql` against a real store's door, and what it says when there is none.

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { help, run } from '../../cli/sql.ts';
import { type OpenedStore, openTestStore } from '../collector/store/open.ts';

let opened: OpenedStore;
beforeAll(async () => {
  opened = await openTestStore();
});
afterAll(() => opened.close());

async function sql(...args: string[]) {
  const out = { stdout: '', stderr: '' };
  const code = await run(args, {
    stdout(text) {
      out.stdout += text;
    },
    stderr(text) {
      out.stderr += text;
    },
    env: { OUTRIDER_SQL: opened.store.sqlUrl },
  });
  return { code, ...out };
}

test('prints a table, any other format, and JSON', async () => {
  expect((await sql('SELECT 1 AS answer')).stdout).toContain('answer');
  expect(await sql('--format', 'CSV', "SELECT 1, 'ü'")).toEqual({ code: 0, stdout: '1,"ü"\n', stderr: '' });
  expect(JSON.parse((await sql('--json', 'SELECT 1 AS a')).stdout)).toMatchObject({ data: [{ a: 1 }] });
});

test('says what was wrong, and exits 1', async () => {
  const { code, stdout, stderr } = await sql('SELECT nothing FROM nowhere');
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(/^Code: 60\. .*nowhere.*\(UNKNOWN_TABLE\)\n$/s);
});

test('says how to give what is missing, and says a format that is none once', async () => {
  const { stderr } = await sql('SELECT {since:String}');
  expect(stderr).toMatch(/^Code: 456\. .*`since` is not set\..*Give it with --param since=VALUE\.\n$/);
  expect((await sql('--format', 'Nope', 'SELECT 1')).stderr).toMatch(/^[^()]*\(UNKNOWN_FORMAT\)\n$/);
  await expect(sql('--file', '/nowhere.sql')).rejects.toThrow('/nowhere.sql cannot be read');
});

test('an answer that breaks off is a failure', async () => {
  const breaking = createServer((_request, response) => {
    response.write('1\n', () => response.destroy());
  });
  breaking.listen(0, '127.0.0.1');
  await once(breaking, 'listening');
  const { port } = breaking.address() as AddressInfo;
  await expect(sql('--url', `http://127.0.0.1:${port}`, 'SELECT 1')).rejects.toThrow('broke off');
  breaking.close();
});

test('says where it looked when no door answers', async () => {
  await expect(sql('--url', 'http://127.0.0.1:1', 'SELECT 1')).rejects.toThrow(
    'No SQL door answers at http://127.0.0.1:1; start the collector',
  );
});

test('refuses anything but one statement', async () => {
  await expect(sql()).rejects.toThrow('one statement');
  await expect(sql('SELECT', '1')).rejects.toThrow('in quotes');
  await expect(sql('--url', 'nonsense', 'SELECT 1')).rejects.toThrow('is not a URL');
});

test('help holds an example', () => {
  expect(help).toContain('Example: outrider sql');
});
