// `path_within` decides after normalising, and refuses to guess.

import { describe, expect, it } from 'vitest';
import { pathWithin } from '../../../contract/rules/path-within.ts';

describe('path_within', () => {
  it.each([
    ['/drafts/a', '/drafts', true],
    ['/drafts', '/drafts/', true],
    ['/drafts/', '/drafts', true],
    ['/drafts/x/../y', '/drafts', true],
    ['/anything', '/', true],
    ['/draftsman', '/drafts', false],
    ['/drafts/..', '/drafts', false],
    ['/Drafts/a', '/drafts', false],
    ['/', '/drafts', false],
  ])('%s in %s: %s', (path, prefix, expected) => expect(pathWithin(path, prefix)).toBe(expected));

  it.each(['drafts/a', '', '../drafts', '/..', '/a/../../b', '/a%2f..', '/a\\b', '/a\0b', '~/drafts'])(
    'refuses %j',
    (path) => expect(() => pathWithin(path, '/drafts')).toThrow(TypeError),
  );
});
