// Debian's Postgres, started by a test for itself: an empty cluster in a temporary folder, on loopback, with a password.
// Postgres refuses to run as root, so there it runs as the user that its package made.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { freePorts } from './ports.ts';
import { until } from './processes.ts';

const DEBIAN = '/usr/lib/postgresql';
const PASSWORD = 'kept-to-itself';

export interface PostgresServer {
  readonly password: string;
  /** A database of its own, made now. */
  database(): Promise<string>;
  /** Ends it as a crash would, and starts it again on the same files and port. */
  crash(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Undefined, and said loudly, where there is no Postgres. */
export async function startPostgresServer(): Promise<PostgresServer | undefined> {
  const binaries = binariesIn(DEBIAN);
  if (binaries === undefined) {
    console.warn(
      `No Postgres in ${DEBIAN}: nothing is tested on a server. Install it: apt-get install postgresql`,
    );
    return undefined;
  }
  const owner = process.getuid?.() === 0 ? postgresUser() : {};
  // Not below TMPDIR, whose folders only root may enter; and a socket's path is short.
  const home = mkdtempSync('/tmp/outrider-postgres-');
  const cluster = join(home, 'cluster');
  const secret = join(home, 'password');
  writeFileSync(secret, PASSWORD);
  if (owner.uid !== undefined) {
    for (const path of [home, secret]) chownSync(path, owner.uid, owner.gid ?? owner.uid);
  }
  const initdb = ['-D', cluster, '-U', 'outrider', '-A', 'scram-sha-256', '--pwfile', secret, '--no-sync'];
  execFileSync(join(binaries, 'initdb'), initdb, { ...owner, cwd: home, stdio: 'ignore' });
  const [port] = await freePorts(1);
  const url = (name: string) => `postgres://outrider:${PASSWORD}@127.0.0.1:${port}/${name}`;
  const settings = ['fsync=off', 'listen_addresses=127.0.0.1', `unix_socket_directories=${home}`];
  let made = 0;

  const run = () =>
    spawn(
      join(binaries, 'postgres'),
      ['-D', cluster, '-p', String(port), ...settings.flatMap((each) => ['-c', each])],
      { ...owner, cwd: home, stdio: 'ignore' },
    );
  let child = run();

  const answers = async (): Promise<boolean> => {
    const client = new Client({ connectionString: url('postgres') });
    try {
      await client.connect();
      await client.end();
      return true;
    } catch {
      return false; // not yet
    }
  };
  await until(answers, (ready) => ready);

  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  };
  return {
    password: PASSWORD,
    async database() {
      const client = new Client({ connectionString: url('postgres') });
      await client.connect();
      const name = `test_${++made}`;
      await client.query(`create database ${name}`);
      await client.end();
      return url(name);
    },
    crash: () => end('SIGQUIT'),
    async start() {
      child = run();
      await until(answers, (ready) => ready);
    },
    async stop() {
      await end('SIGINT');
      rmSync(home, { recursive: true, force: true });
    },
  };
}

function binariesIn(root: string): string | undefined {
  if (!existsSync(root)) return undefined;
  const versions = readdirSync(root).sort((a, b) => Number(b) - Number(a));
  return versions.map((version) => join(root, version, 'bin')).find((bin) => existsSync(join(bin, 'initdb')));
}

function postgresUser(): { uid?: number; gid?: number } {
  const idOf = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: idOf('-u'), gid: idOf('-g') };
}
