// The model of a batch in which all requests name the same one, for the record; each is judged by itself.

import type { BatchedRequest } from './dialect.ts';

export function soleModel(requests: readonly BatchedRequest[]): string | null {
  const model = requests[0]?.description.model ?? null;
  return requests.every(({ description }) => description.model === model) ? model : null;
}
