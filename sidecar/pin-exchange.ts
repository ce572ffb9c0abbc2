// Tells the collector which definitions of tools were seen here, and fetches what holds in the fleet when it changed.
// Nothing waits for it: what cannot be told is told with a later heartbeat.

import { TOOL_SIGHTINGS_MAX } from '../contract/tool.ts';
import { type Log, sentenceOf } from '../kit/log.ts';
import type { ControlPlane } from './edges/control-plane.ts';
import type { Pins } from './state/pins.ts';

export interface PinExchange {
  /** There is something to tell. */
  news(): void;
  /** A heartbeat was answered for this agent, or an event came. Undefined from a collector that knows no pins. */
  heard(agent: string, revision: number | undefined): void;
}

export function createPinExchange(use: {
  readonly control: ControlPlane;
  readonly pins: Pins;
  /** Whose sighting it is said to be where only one agent's traffic comes here. */
  readonly agent: string | null;
  readonly log: Log;
}): PinExchange {
  let known = 0;
  let busy = false;
  let teller = use.agent;

  const tell = async (agent: string): Promise<void> => {
    const { pins } = use;
    for (let waiting = pins.untold(); waiting.length > 0; waiting = pins.untold()) {
      const tools = waiting.slice(0, TOOL_SIGHTINGS_MAX);
      const lines = await use.control.reportTools({ agent, tools });
      pins.told(tools);
      pins.learn(lines);
    }
  };

  const once = async (work: () => Promise<void>): Promise<void> => {
    if (busy) return;
    busy = true;
    try {
      await work();
    } catch (failure) {
      use.log.info('tools.not_exchanged', { failure: sentenceOf(failure) });
    } finally {
      busy = false;
    }
  };

  return {
    news() {
      const agent = teller;
      if (agent !== null) void once(() => tell(agent));
    },
    heard(agent, revision) {
      teller ??= agent;
      if (revision === undefined) return;
      void once(async () => {
        await tell(agent);
        if (revision === known) return;
        use.pins.learn(await use.control.tools());
        known = revision;
      });
    },
  };
}
