// Names that refer to other parts of the file: roles, departments, owners, credentials, upstreams. Whether a name is
// known is asked of the tree, so that a mistake inside an upstream does not make its name unknown everywhere else.

import { closest } from './closest.ts';
import { type Place, type Problem, problemAt } from './problems.ts';
import { keyPlace, type MapTree, namesAt, nodeAt, type Path, type ScalarTree } from './tree.ts';

/** `credential: agent` forwards what the agent sent, so no credential may be called so. */
export const FORWARDED_CREDENTIAL = 'agent';

/** A problem for each name that nothing in the file answers to. */
export function checkReferences(tree: MapTree): Problem[] {
  const problems: Problem[] = [];
  const refer = (kind: string, name: string, known: ReadonlySet<string>, place: Place) => {
    if (!known.has(name))
      problems.push(problemAt(place, `no ${kind} is called "${name}"`, closest(name, known)));
  };
  const names = (section: string) => namesAt(tree, [section]);
  const values = (path: Path, kind: string, known: ReadonlySet<string>) => {
    for (const { at, text } of textsAt(tree, path)) refer(kind, text, known, at);
  };
  const credentials = names('credentials');
  const upstreams = names('upstreams');

  for (const name of upstreams) {
    values(['upstreams', name, 'credential'], 'credential', new Set([...credentials, FORWARDED_CREDENTIAL]));
  }
  for (const name of names('agents')) {
    values(['agents', name, 'role'], 'role', names('roles'));
    values(['agents', name, 'department'], 'department', names('departments'));
    values(['agents', name, 'owner'], 'owner', names('owners'));
    for (const upstream of namesAt(tree, ['agents', name, 'credentials'])) {
      const path = ['agents', name, 'credentials', upstream];
      refer('upstream', upstream, upstreams, keyPlace(tree, path));
      values(path, 'credential', credentials);
    }
  }
  for (const name of names('roles')) {
    for (const { at, text } of textsAt(tree, ['roles', name, 'fallback'])) {
      refer('upstream', upstreamIn(text), upstreams, at);
    }
  }
  for (const target of names('prices')) {
    refer('upstream', upstreamIn(target), upstreams, keyPlace(tree, ['prices', target]));
  }
  if (credentials.has(FORWARDED_CREDENTIAL)) {
    const place = keyPlace(tree, ['credentials', FORWARDED_CREDENTIAL]);
    problems.push(
      problemAt(place, '"agent" means what the agent itself sent: call the credential otherwise'),
    );
  }
  return problems;
}

const upstreamIn = (target: string): string => target.split('/', 1)[0]!;

/** The text at a path, or the texts of the list there; what is no text is the schema's business. */
function textsAt(tree: MapTree, path: Path): readonly ScalarTree[] {
  const node = nodeAt(tree, path);
  const nodes = node?.kind === 'list' ? node.items : node ? [node] : [];
  return nodes.filter((item) => item.kind === 'scalar' && typeof item.value === 'string') as ScalarTree[];
}
