// A site that ordinary tools fetch from: pages, a git repository and a Python package index over HTTPS, with a
// certificate of an authority that only the sidecar's operator trusts.

import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join, normalize } from 'node:path';
import { makeAuthority, makeLeaf } from '../../sidecar/edges/certificates.ts';
import { temporaryDirectory } from '../support/processes.ts';

export interface HttpsOrigin {
  /** `https://localhost:port`. */
  readonly url: string;
  /** The authority's certificate, as a file. */
  readonly authority: string;
  /** `GET /path`, in the order they came. */
  readonly requests: readonly string[];
  close(): Promise<void>;
}

const HOUR_MS = 3_600_000;

/** What lies under `open/` lies under `closed/` too. */
export async function startHttpsOrigin(): Promise<HttpsOrigin> {
  const directory = temporaryDirectory('site');
  for (const part of ['open', 'closed']) writeSite(join(directory, part));
  const validity = { notBeforeMs: Date.now() - HOUR_MS, notAfterMs: Date.now() + HOUR_MS };
  const authority = await makeAuthority(validity);
  const leaf = await makeLeaf('localhost', authority, validity);
  const requests: string[] = [];
  const server = createServer(
    { cert: leaf.certificate, key: leaf.key },
    ({ method, url = '/' }, response) => {
      requests.push(`${method} ${url}`);
      const file = fileOf(directory, url);
      if (file === undefined) response.writeHead(404).end();
      else response.writeHead(200, { 'content-type': typeOf(file) }).end(readFileSync(file));
    },
  );
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const authorityFile = join(directory, 'authority.pem');
  writeFileSync(authorityFile, authority.certificate);
  return {
    url: `https://localhost:${(server.address() as AddressInfo).port}`,
    authority: authorityFile,
    requests,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const typeOf = (file: string): string => (file.endsWith('.html') ? 'text/html' : 'application/octet-stream');

function fileOf(directory: string, url: string): string | undefined {
  const path = join(directory, normalize(decodeURIComponent(url.split('?', 1)[0]!)));
  const file = existsSync(path) && statSync(path).isDirectory() ? join(path, 'index.html') : path;
  return existsSync(file) ? file : undefined;
}

function writeSite(part: string): void {
  mkdirSync(join(part, 'simple', 'demo-package'), { recursive: true });
  writeFileSync(join(part, 'page.txt'), 'a page\n');
  writeRepository(part);
  writePackage(part);
}

/** Bare, and readable file by file. */
function writeRepository(part: string): void {
  const work = join(part, 'work');
  const git = (...args: string[]): void => void execFileSync('git', args, { cwd: work, stdio: 'ignore' });
  mkdirSync(work);
  writeFileSync(join(work, 'README'), 'a repository\n');
  git('init', '-b', 'main');
  git('add', 'README');
  git('-c', 'user.name=Test', '-c', 'user.email=test@example.com', 'commit', '-m', 'Begin');
  git('clone', '--bare', work, join(part, 'repository.git'));
  execFileSync('git', ['update-server-info'], { cwd: join(part, 'repository.git') });
}

const WHEEL = 'demo_package-1.0-py3-none-any.whl';
const WRITE_WHEEL = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'w') as wheel:
    wheel.writestr('demo_package.py', 'greeting = "a package"\\n')
    info = 'demo_package-1.0.dist-info/'
    wheel.writestr(info + 'METADATA', 'Metadata-Version: 2.1\\nName: demo-package\\nVersion: 1.0\\n')
    wheel.writestr(info + 'WHEEL', 'Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
    wheel.writestr(info + 'RECORD', '')
`;

function writePackage(part: string): void {
  const folder = join(part, 'simple', 'demo-package');
  execFileSync('python3', ['-c', WRITE_WHEEL, join(folder, WHEEL)]);
  writeFileSync(join(folder, 'index.html'), `<!DOCTYPE html><a href="${WHEEL}">${WHEEL}</a>`);
}
