// Paths to few patterns that still say what they open. Ids that vary become `*`. Words become a star only where something
// is read, and only where several siblings were seen: what a write may touch is named.
//
//   /users/1/posts   /users/2/posts          ids that vary          → /users/*/posts
//   /wiki/Ant … /wiki/Fly                    five alike, read       → /wiki/*
//   /docs/a   /docs/b/c … (five, unlike)     a family, read         → /docs/**

/** So many distinct siblings make a family: fewer are named one by one. */
const SIBLINGS_MIN = 5;
/** Right under a host it takes more: a family there is the whole host. */
const SIBLINGS_OF_HOST_MIN = 20;

interface Folder {
  /** A path ends here. */
  ends: boolean;
  readonly inside: Map<string, Folder>;
}

/** Each path begins with a slash and holds no star. `reading`: the method only reads. */
export function pathPatterns(paths: Iterable<string>, reading: boolean): readonly string[] {
  const root = emptyFolder();
  for (const path of paths) put(root, path.slice(1).split('/'));
  return patternsIn(mergeIds(root), reading, 0)
    .map((segments) => `/${segments.join('/')}`)
    .sort();
}

const emptyFolder = (): Folder => ({ ends: false, inside: new Map() });

function put(folder: Folder, [segment, ...rest]: readonly string[]): void {
  if (segment === undefined) {
    folder.ends = true;
    return;
  }
  const child = folder.inside.get(segment) ?? emptyFolder();
  folder.inside.set(segment, child);
  put(child, rest);
}

/** Children that differ in an id alone become one, with all that was inside any of them. */
function mergeIds({ ends, inside }: Folder): Folder {
  const alike = Map.groupBy(inside, ([segment]) => idPattern(segment) ?? segment);
  const merged = new Map<string, Folder>();
  for (const [pattern, children] of alike) {
    const name = children.length > 1 ? pattern : children[0]![0];
    merged.set(name, mergeIds(union(children.map(([, child]) => child))));
  }
  return { ends, inside: merged };
}

function union(folders: readonly Folder[]): Folder {
  const whole = emptyFolder();
  for (const { ends, inside } of folders) {
    whole.ends ||= ends;
    for (const [segment, child] of inside) {
      const known = whole.inside.get(segment);
      whole.inside.set(segment, known ? union([known, child]) : child);
    }
  }
  return whole;
}

function patternsIn({ ends, inside }: Folder, reading: boolean, depth: number): string[][] {
  const children = [...inside].map(([segment, child]) => ({
    segment,
    below: patternsIn(child, reading, depth + 1),
  }));
  const here = ends ? [[]] : [];
  const min = depth === 0 ? SIBLINGS_OF_HOST_MIN : SIBLINGS_MIN;
  const families = reading ? alikeInside(children, min) : children;
  if (reading && families.length >= min) return [...here, ['**']];
  return [...here, ...families.flatMap(({ segment, below }) => below.map((rest) => [segment, ...rest]))];
}

interface Child {
  readonly segment: string;
  readonly below: string[][];
}

/** Siblings under which the very same things were seen are one, once there are enough of them. */
function alikeInside(children: readonly Child[], min: number): readonly Child[] {
  const named = children.filter(({ segment }) => segment !== '');
  const groups = [...Map.groupBy(named, ({ below }) => JSON.stringify(below)).values()];
  const folded = groups.flatMap((group) =>
    group.length >= min ? [{ segment: '*', below: group[0]!.below }] : group,
  );
  return [...folded, ...children.filter(({ segment }) => segment === '')];
}

const ID = [
  /\d+/, // a number
  /\d{4}-\d{2}-\d{2}/, // a day
  /[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}/, // a UUID
  /(?=[a-fA-F]*\d)[0-9a-fA-F]{8,}/, // a digest, an object id
  /(?=[A-Za-z_-]*\d)(?=[\d_-]*[A-Za-z])[A-Za-z0-9_-]{20,}/, // a token, a ULID
]
  .map(({ source }) => source)
  .join('|');
/** A word before it (`page-12`) and an extension after it (`12.json`) stay. */
const WITH_ID = new RegExp(`^([A-Za-z]+[-_])?(?:${ID})(\\.[a-z0-9]{1,5})?$`);

/** `page-12.json` → `page-*.json`; undefined for what is no id, such as `v1`. */
function idPattern(segment: string): string | undefined {
  const found = WITH_ID.exec(segment);
  return found ? `${found[1] ?? ''}*${found[2] ?? ''}` : undefined;
}
