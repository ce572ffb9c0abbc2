// Debian's promtool, asked whether Prometheus would be happy with an exposition.

import { spawnSync } from 'node:child_process';

/** What `promtool check metrics` has to say; empty when it has nothing to complain of. */
export function promtoolComplaints(exposition: string): string {
  const { stdout, stderr, status, error } = spawnSync('promtool', ['check', 'metrics'], {
    input: exposition,
    encoding: 'utf8',
  });
  if (error) throw error;
  return status === 0 ? '' : `${stdout}${stderr}` || `promtool ended with ${status}`;
}
