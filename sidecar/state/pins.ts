// Which definition of each tool holds. The first one seen does, here or anywhere in the fleet; another one closes the
// tool until somebody accepts it at the collector. Kept in memory: without a collector a sidecar goes by what it knows.

import { TOOLS_MAX, TOOLS_PER_UPSTREAM_MAX, type ToolLine, type ToolSighting } from '../../contract/tool.ts';

export interface Pins {
  /** Whether a list may show it: it is the definition that holds. The first one seen of a tool does. */
  see(sighting: ToolSighting): boolean;
  /** Whether calls of it are refused; a tool nobody listed is not. */
  changed(upstream: string, tool: string): boolean;
  /** What the collector says holds. What was seen here and not told yet is weighed again. */
  learn(lines: readonly ToolLine[]): void;
  /** What the collector has not heard yet. */
  untold(): readonly ToolSighting[];
  told(sightings: readonly ToolSighting[]): void;
}

interface Pin {
  readonly digest: string;
  /** Another definition that was seen; null while all is well. */
  readonly seen: string | null;
}

/** `news` is called when there is something to tell. */
export function createPins(news: () => void): Pins {
  const pins = new Map<string, Pin>();
  const untold = new Map<string, ToolSighting>();
  const counts = new Map<string, number>();

  const keep = (key: string, upstream: string, pin: Pin): void => {
    if (!pins.has(key)) counts.set(upstream, (counts.get(upstream) ?? 0) + 1);
    pins.set(key, pin);
  };
  const isFull = (upstream: string): boolean =>
    pins.size >= TOOLS_MAX || (counts.get(upstream) ?? 0) >= TOOLS_PER_UPSTREAM_MAX;

  const weigh = (sighting: ToolSighting): boolean => {
    const key = keyOf(sighting.upstream, sighting.tool);
    const pin = pins.get(key);
    if (!pin && isFull(sighting.upstream)) return true;
    const next = weighed(pin, sighting.digest);
    if (next === pin) return next.seen === null;
    keep(key, sighting.upstream, next);
    untold.set(key, sighting);
    return next.seen === null;
  };

  return {
    see(sighting) {
      const before = untold.size;
      const shown = weigh(sighting);
      if (untold.size > before) news();
      return shown;
    },
    changed: (upstream, tool) => (pins.get(keyOf(upstream, tool))?.seen ?? null) !== null,
    learn(lines) {
      for (const { upstream, tool, digest, seen_digest: seen } of lines)
        keep(keyOf(upstream, tool), upstream, { digest, seen });
      for (const sighting of untold.values()) weigh(sighting);
    },
    untold: () => [...untold.values()],
    told(sightings) {
      for (const { upstream, tool, digest } of sightings) {
        const key = keyOf(upstream, tool);
        if (untold.get(key)?.digest === digest) untold.delete(key);
      }
    },
  };
}

const keyOf = (upstream: string, tool: string): string => `${upstream}/${tool}`;

/** The very same pin where the sighting is no news. */
function weighed(pin: Pin | undefined, digest: string): Pin {
  if (!pin) return { digest, seen: null };
  return (pin.seen ?? pin.digest) === digest ? pin : { ...pin, seen: digest };
}
