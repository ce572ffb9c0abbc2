// The tools a model asked its agent to run, as their arguments stream past: each argument text is hashed piece by piece
// and never kept, so a long one costs no memory.

import { createHash, hash } from 'node:crypto';
import type { ToolRequest } from './metered.ts';

/** More in one answer are not recorded; no provider allows so many. */
export const TOOL_REQUESTS_MAX = 1024;

export const toolRequest = (name: string, id: string, argumentsText: string): ToolRequest => ({
  name,
  id,
  argumentsDigest: hash('sha256', argumentsText, 'hex'),
});

export interface ToolRequestsReader {
  /** Pieces of one request share a `key`; a name or id counts from the piece that has it. */
  take(key: string, piece: { name?: string; id?: string; argumentsText?: string }): void;
  result(): ToolRequest[];
}

interface Open {
  name: string;
  id: string;
  hash: ReturnType<typeof createHash>;
  /** The first half of a surrogate pair whose second half comes with the next piece. */
  half: string;
}

const endsInHalf = (text: string): boolean => {
  const last = text.charCodeAt(text.length - 1);
  return last >= 0xd800 && last <= 0xdbff;
};

export function readToolRequests(): ToolRequestsReader {
  const open = new Map<string, Open>();
  return {
    take(key, { name, id, argumentsText }) {
      let request = open.get(key);
      if (!request) {
        if (open.size >= TOOL_REQUESTS_MAX) return;
        request = { name: '', id: '', hash: createHash('sha256'), half: '' };
        open.set(key, request);
      }
      if (name) request.name ||= name;
      if (id) request.id ||= id;
      if (argumentsText) {
        const text = request.half + argumentsText;
        request.half = endsInHalf(text) ? text.slice(-1) : '';
        request.hash.update(request.half ? text.slice(0, -1) : text);
      }
    },
    result: () =>
      [...open.values()].map(({ name, id, hash: digest, half }) => ({
        name,
        id,
        argumentsDigest: digest.copy().update(half).digest('hex'),
      })),
  };
}
