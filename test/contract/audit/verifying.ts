// What the tests of a verification share: a world of records, and the verification of its export.

import type { Finding } from '../../../contract/audit/finding.ts';
import { type Verified, type VerifyInput, verifyExport } from '../../../contract/audit/verify.ts';
import { noteVerifier } from '../../../kit/tlog/note.ts';
import { createWorld, filesIn, signer, type World, type WrittenExport } from './export-world.ts';

export const trusted = [noteVerifier(signer.verifierKey)];

export function verify({ files }: WrittenExport, more: Partial<VerifyInput> = {}): Promise<Verified> {
  return verifyExport({
    files: filesIn(files),
    trusted,
    against: [],
    anchored: null,
    acceptsUnlogged: false,
    progress: () => undefined,
    ...more,
  });
}

export async function findings(
  written: WrittenExport,
  more: Partial<VerifyInput> = {},
): Promise<readonly Finding[]> {
  return (await verify(written, more)).findings;
}

export const WORLD = createWorld();
export const copy = (): World => structuredClone(WORLD);
export const rowAt = (world: World, stream: string, seq: number): number =>
  world.rows.findIndex((row) => row.audit_stream === stream && row.audit_seq === String(seq));

/** With the leaf whose claim holds record `seq` of stream `b`. */
export const leafOfRecord = (world: World, seq: number): number =>
  world.leaves.findIndex(({ chains }) =>
    chains.some(({ stream, first, last }) => stream === 'b' && first <= seq && seq <= last),
  );
