// A stream of AWS's binary frames, written anew as text. What comes after an unsound frame can't be read, so it doesn't
// pass: the stream breaks off there.

import { type FrameHeaders, readFrames } from './aws-frames.ts';
import type { Rewriter } from './dialect.ts';

const NOTHING = Buffer.alloc(0);

/** `write` gets each frame, whole and sound; empty where it says nothing. `push` and `flush` throw for what is not. */
export function rewriteFrames(write: (headers: FrameHeaders, payload: Buffer) => string): Rewriter {
  let written = '';
  const frames = readFrames((headers, payload) => {
    written += write(headers, payload);
  });
  return {
    push(chunk) {
      written = '';
      frames.push(chunk);
      if (frames.unreadBytes() > 0) throw new Error('A frame of the stream is not sound.');
      return Buffer.from(written);
    },
    flush() {
      if (frames.unfinishedBytes() > 0) throw new Error('The stream ended within a frame.');
      return NOTHING;
    },
  };
}
