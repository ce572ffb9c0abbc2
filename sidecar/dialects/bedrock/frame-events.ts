// What stands in the frames of Bedrock's streams: events with a name and JSON.

import { writeFrame } from '../aws-frames.ts';
import type { JsonObject } from '../dialect.ts';
import type { Metered } from '../metered.ts';

/** What an API makes of its stream's events. */
export interface FrameEvents {
  /** An event's name and its JSON. */
  take(name: string, payload: JsonObject): void;
  result(): Metered;
  /** Output tokens so far, surely no more than were made. */
  outputTokensSeen(): number;
  /** Frames that end the stream as if its output limit had been reached. */
  ending(): Buffer;
}

/** What a family makes of its events. */
export interface InvokeEvents {
  take(event: JsonObject): void;
  result(): Metered;
  outputTokensSeen(): number;
  ending(): readonly JsonObject[];
}

export const eventFrame = (name: string, payload: JsonObject): Buffer =>
  writeFrame(
    { ':event-type': name, ':content-type': 'application/json', ':message-type': 'event' },
    Buffer.from(JSON.stringify(payload)),
  );
