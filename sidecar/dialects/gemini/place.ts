// Where models stand at Vertex AI: under a project and a location, which only the upstream's url can say.

import { VERTEX_HOST } from '../../../contract/attributes.ts';
import { basePathOf } from '../../../contract/config/addresses.ts';
import type { Upstream } from '../../../contract/config/config.ts';

const PLACE = /\/v1(?:beta1)?\/projects\/[^/]+\/locations\/[^/]+$/;

/** The path of a publisher's models; null where the url names no project and location. */
export function publishedAt({ url }: Upstream, publisher: 'google' | 'anthropic'): string | null {
  const base = basePathOf(url);
  return PLACE.test(base) ? `${base}/publishers/${publisher}/models` : null;
}

export const isVertex = ({ url }: Upstream): boolean => VERTEX_HOST.test(new URL(url).hostname);
