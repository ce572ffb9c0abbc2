// AWS knows a model by several names: its own, one with the place before it that may run it, and ARNs of either. A rule
// that opens a model means the name it says; one that closes a model closes it by all of them.
//
//   arn:aws:bedrock:eu-west-1:1:inference-profile/  eu.  anthropic.claude-haiku-4-5

const ARN = /^arn:[^/]*\//;
const PLACE = /^(?:us|eu|apac|jp|au|ca|in|sa|me|af|us-gov|global)\./;

/** The name itself; what has no such parts is returned as it is. */
export const bareModel = (model: string): string => model.replace(ARN, '').replace(PLACE, '');
