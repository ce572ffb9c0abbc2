// What a sidecar tells the collector about the policy it runs, once for each it puts in force, so that every decision's
// digest leads to the text, and to who put it there. Secrets are references in it; none is told.

import { hash } from 'node:crypto';
import { canonicalJson } from './audit-entry.ts';

export interface PolicySource {
  /** Counted from the folder of the first. */
  readonly file: string;
  readonly text: string;
}

/** POST /v1/policy. */
export interface PolicyReport {
  readonly digest: string;
  readonly agent: string;
  readonly instance: string;
  /** Milliseconds since 1970. */
  readonly loaded_at: number;
  /** `user@host` of the process that loaded it. */
  readonly by: string;
  /** What the digest is computed over. */
  readonly sources: readonly PolicySource[];
}

/** The same texts with names that do not tell where on a machine they lie. */
export function relativeSources(sources: readonly PolicySource[]): { file: string; text: string }[] {
  const first = sources[0]?.file ?? '';
  const folder = first.slice(0, first.lastIndexOf('/') + 1);
  return sources.map(({ file, text }) => ({
    file: file.startsWith(folder) ? file.slice(folder.length) : file,
    text,
  }));
}

/**
 * SHA-256, hex, over names and texts in the order they were read. Names count from the folder of the first, so the same
 * files have the same digest wherever they are read from.
 */
export function policyDigest(sources: readonly PolicySource[]): string {
  return hash('sha256', canonicalJson(relativeSources(sources)), 'hex');
}
