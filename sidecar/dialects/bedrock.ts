// AWS Bedrock's runtime: Converse, and InvokeModel in the formats of the models' makers. One room per question in
// `bedrock/`. Requests are signed, answers stream as binary frames (aws-frames.ts), and the model stands in the path.

import { accessKeyOf } from './bedrock/credential.ts';
import { describe } from './bedrock/describe.ts';
import { familyOf } from './bedrock/families.ts';
import { isFrameStream, meterStream, meterWhole } from './bedrock/meter.ts';
import { recognise } from './bedrock/recognise.ts';
import { refuse } from './bedrock/refuse.ts';
import { sign } from './bedrock/sign.ts';
import { splices } from './bedrock/splice.ts';
import { CREDENTIAL_HEADERS } from './credential-places.ts';
import type { Dialect } from './dialect.ts';
import { modelInPath } from './for-model.ts';
import { readThrottle } from './throttle.ts';

export const bedrock: Dialect = {
  name: 'bedrock',
  recognise,
  describe,
  splices,
  meterWhole,
  meterStream,
  streams: isFrameStream,
  /** With them the agent's own signature goes, of which they are part. */
  credentialHeaders: [...CREDENTIAL_HEADERS, 'x-amz-security-token', 'x-amz-date', 'x-amz-content-sha256'],
  credentialHeader: (secret) => ['authorization', `Bearer ${secret}`],
  sign,
  guarded(secret) {
    const key = accessKeyOf(secret);
    // what signs is never sent, a session's token is
    return key ? (key.sessionToken ?? key.secretAccessKey) : secret;
  },
  throttle: readThrottle,
  forModel(asked, model, elsewhere) {
    const from = asked.description.model ?? '';
    const converses = asked.description.endpoint.name.startsWith('converse');
    if (!converses && familyOf(from).name !== familyOf(model).name) return null; // a body of another format
    const [, , name = ''] = /^(.*\/model\/)([^/]+)\//.exec(asked.head.path) ?? [];
    const place = { name: `/model/${name}/`, next: `/model/${encodeURIComponent(model)}/` };
    return modelInPath(asked, place, model, elsewhere);
  },
  refuse,
};
