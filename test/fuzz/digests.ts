// SHA-256 of a body as it arrived, and of all it may have been before the sidecar put something in: the closed list of
// what it ever does.

import { createHash } from 'node:crypto';

const LIMIT =
  '"(?:max_completion_tokens|max_output_tokens|max_tokens|maxTokens|maxOutputTokens)":(?:16384|4096)';
/** Each is taken out, or put back to the null it replaced. */
const SPLICED = [
  /"inferenceConfig":\{"maxTokens":4096\},?/,
  new RegExp(`"(?:generationConfig|generation_config)":\\{${LIMIT}\\},?`),
  new RegExp(`${LIMIT},?`),
  /"stream_options":\{"include_usage":true\},?/,
  /"_meta":\{"traceparent":"[^"]*"(?:,"tracestate":"[^"]*")?(?:,"baggage":"[^"]*")?\},?/,
];

/** Lower-case hex; empty for no body. */
export const digestsOf = (body: Buffer): string[] => [body, ...withoutSplices(body)].map(digest);

const digest = (body: Buffer): string =>
  body.length === 0 ? '' : createHash('sha256').update(body).digest('hex');

function withoutSplices(body: Buffer): Buffer[] {
  let texts = [body.toString('latin1')];
  for (const splice of SPLICED) {
    texts = texts.flatMap((text) => {
      const found = splice.exec(text)?.[0];
      if (found === undefined) return [text];
      const nulled = found.replace(/^("\w+"):.*?(,?)$/, '$1:null$2');
      return [text, text.replace(found, ''), text.replace(found, () => nulled)];
    });
  }
  return texts.slice(1).map((text) => Buffer.from(text, 'latin1'));
}
