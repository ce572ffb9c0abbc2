// `outrider store rebuild`: tables that are counted from others, made anew from those.

import { REBUILDABLE, type RebuildState } from '../../contract/rebuild.ts';
import { EXIT, refuseIdleFlags, UsageError } from '../command.ts';
import { print, type StoreAsked } from './flags.ts';

const POLL_MS = 500;

export async function rebuild(asked: StoreAsked): Promise<number> {
  const { rest, values, collector, io } = asked;
  refuseIdleFlags({ ...values }, [], 'store rebuild');
  const tables = rest.length === 1 && rest[0] === 'all' ? REBUILDABLE : rest.map(known);
  if (tables.length === 0) throw new UsageError(`Name one or more of ${REBUILDABLE.join(', ')}, or all.`);
  let state = await collector.post<RebuildState>('/v1/store/rebuild', { tables });
  for (let told = ''; state.left.length > 0 && state.failure === ''; ) {
    if (state.left[0] !== told) io.stderr(`${state.left[0]} (${state.left.length} left)\n`);
    told = state.left[0]!;
    await new Promise((resume) => setTimeout(resume, POLL_MS));
    state = await collector.get<RebuildState>('/v1/store/rebuild');
  }
  if (state.failure !== '')
    throw new Error(
      `${state.failure} The collector tries again by itself; ask once more to see how far it is.`,
    );
  print(asked, { tables, ...state }, () => `Made anew: ${tables.join(', ')}.\n`);
  return EXIT.done;
}

function known(name: string): string {
  if (REBUILDABLE.some((table) => table === name)) return name;
  throw new UsageError(`${name} is not counted from another table: write ${REBUILDABLE.join(', ')} or all.`);
}
