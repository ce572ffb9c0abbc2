// Who may submit which file: only the agent that uploaded it, at its upstream, under the policy it was judged by.

import { describe, expect, it } from 'vitest';
import { batchFileOf } from '../../sidecar/batch-file.ts';
import type { Classified } from '../../sidecar/call.ts';
import { BATCH_FILES_MAX, type BatchFile, createBatchFiles } from '../../sidecar/state/batch-files.ts';

const FILE: BatchFile = {
  agent: 'scout',
  upstream: 'openai',
  endpoint: 'chat',
  policyDigest: 'd1',
  judgement: { verdict: 'allow', rule: 'llm openai/*', target: 'openai/m' },
  bound: null,
};

interface Submission {
  readonly agent?: string;
  readonly upstream?: string;
  readonly digest?: string;
  readonly endpoint?: string;
  readonly id?: string;
}

function submission({ agent, upstream, digest, endpoint, id }: Submission = {}): Classified {
  return {
    agent: { name: agent ?? 'scout' },
    upstream: { name: upstream ?? 'openai' },
    policy: { digest: digest ?? 'd1' },
    description: { inputFile: { id: id ?? 'file-1', endpoint: endpoint ?? 'chat' } },
  } as unknown as Classified;
}

function filesWith(count: number) {
  const files = createBatchFiles();
  for (let index = 1; index <= count; index++) files.keep(`file-${index}`, FILE);
  return files;
}

describe('the file of a batch', () => {
  it('is what was kept', () => {
    expect(batchFileOf(submission(), filesWith(1))).toBe(FILE);
  });

  it.each<[string, Submission, string]>([
    ['another agent', { agent: 'other' }, 'unpriced'],
    ['another upstream', { upstream: 'azure' }, 'unpriced'],
    ['another file', { id: 'file-2' }, 'unpriced'],
    ['another policy', { digest: 'd2' }, 'unpriced'],
    ['another endpoint', { endpoint: 'embeddings' }, 'bad_request'],
  ])('is refused for %s', (_, asked, code) => {
    expect(() => batchFileOf(submission(asked), filesWith(1))).toThrow(expect.objectContaining({ code }));
  });

  it('is forgotten when too many came after it', () => {
    const files = filesWith(BATCH_FILES_MAX + 1);
    expect(() => batchFileOf(submission(), files)).toThrow('did not see');
    expect(batchFileOf(submission({ id: 'file-2' }), files)).toBe(FILE);
  });

  it('is none for a call that names none', () => {
    const call = { description: { inputFile: null } } as unknown as Classified;
    expect(batchFileOf(call, filesWith(0))).toBeUndefined();
  });
});
