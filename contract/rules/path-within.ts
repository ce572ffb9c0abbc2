// Whether a path lies inside a folder, decided after normalising: `/drafts/../etc` is not inside `/drafts`, and
// `/drafts-old` is not either. What cannot be normalised without guessing is an error, and then the strict side applies.

/** Throws where a path climbs above its root, is relative, or holds NUL, a backslash or percent-encoding. */
export function pathWithin(path: string, prefix: string): boolean {
  const inner = segmentsOf(path);
  const outer = segmentsOf(prefix);
  return outer.every((segment, index) => inner[index] === segment);
}

function segmentsOf(path: string): string[] {
  if (!path.startsWith('/')) throw new TypeError('path_within compares absolute paths');
  if (/[\0\\%]/.test(path)) throw new TypeError('path_within reads no NUL, backslash or percent-encoding');
  const segments: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '' || segment === '.') continue;
    if (segment !== '..') segments.push(segment);
    else if (segments.pop() === undefined) throw new TypeError('the path climbs above its root');
  }
  return segments;
}
