// The file that a batch is submitted by: what was found out about it when it was uploaded holds for the submission.

import { Refusal } from '../contract/refusals.ts';
import type { Classified } from './call.ts';
import type { BatchFile, BatchFiles } from './state/batch-files.ts';

/**
 * Undefined for a call that names no such file. Throws Refusal `unpriced` for one whose requests nobody saw, and
 * `bad_request` where the submission calls them something else.
 */
export function batchFileOf(
  { description, agent, upstream, policy }: Classified,
  files: BatchFiles,
): BatchFile | undefined {
  const asked = description?.inputFile;
  if (!asked) return undefined;
  const file = files.find(agent.name, upstream.name, asked.id);
  if (!file) throw unseen('this sidecar did not see what its input file holds', 'unknown_file');
  if (file.policyDigest !== policy.digest)
    throw unseen('the policy changed after its input file was judged', 'file_of_other_policy');
  if (file.endpoint === asked.endpoint) return file;
  throw new Refusal('bad_request', `The requests in the file are for ${file.endpoint}.`, {
    reason: 'bad_field',
    facts: { field: 'endpoint' },
  });
}

function unseen(why: string, reason: string): Refusal {
  return new Refusal('unpriced', `What this batch costs cannot be bounded: ${why}. Upload the file again.`, {
    reason,
  });
}
