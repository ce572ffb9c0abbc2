// What the end of a call says of whoever it was sent to: that it works, fails, asks us to slow down, or nothing at all.
// The one place where that is judged; circuits and throttles go by it, and so does whoever may try again.

import type { RefusalCode } from '../contract/refusals.ts';
import type { Ending } from './charge.ts';
import type { Outcome } from './state/circuit.ts';

export interface Ended {
  readonly ending: Ending['kind'];
  /** Ours, where the call ended with one. */
  readonly refusal: RefusalCode | '';
  /** The upstream's status; 0 where no head came. */
  readonly status: number;
  /** In the dialect's own words, `client_closed` where the agent left; empty where nothing is wrong. */
  readonly errorType: string;
  /** It took longer to its first token than `breakers.slow` lets pass. */
  readonly late: boolean;
}

/** What the upstream was asked and did not do. */
const FAILED: ReadonlySet<string> = new Set<RefusalCode>(['upstream_timeout', 'upstream_unreachable']);

/** Too much was asked of it, by whatever status; also inside a stream that began with 200. */
const THROTTLED = new Set([
  ...['rate_limit_error', 'rate_limit_exceeded', 'insufficient_quota', 'enforced_spend_limit_reached'],
  ...[
    'RESOURCE_EXHAUSTED',
    'throttlingException',
    'serviceQuotaExceededException',
    'tooManyRequestsException',
  ],
]);

/** A tool or an agent that says it could not, and codes for a request that is wrong, whatever the status: it works. */
const DECLINED = new Set([
  'tool_error',
  '-32600',
  '-32601',
  '-32602',
  '-32700',
  '-32002',
  ...['invalid_request', 'method_not_found', 'invalid_params', 'parse_error', 'not_found', 'task_rejected'],
  ...['task_not_found', 'task_not_cancelable', 'unsupported_operation', 'content_type_not_supported'],
  ...['push_notification_not_supported', 'extended_card_not_configured', 'version_not_supported'],
]);

/** The same of a model's provider, below 500 and inside a stream: the request is wrong, not the provider. */
const CALLERS_OWN = new Set([
  ...[
    'invalid_request_error',
    'authentication_error',
    'billing_error',
    'permission_error',
    'not_found_error',
  ],
  ...['request_too_large', 'invalid_prompt', 'context_length_exceeded', 'content_policy_violation'],
  ...['model_not_found', 'content_filter', 'bio_policy', 'cyber_policy'],
  ...[
    'INVALID_ARGUMENT',
    'FAILED_PRECONDITION',
    'OUT_OF_RANGE',
    'UNAUTHENTICATED',
    'PERMISSION_DENIED',
    'NOT_FOUND',
  ],
  ...['validationException', 'accessDeniedException', 'resourceNotFoundException'],
]);

export function outcomeOf({ ending, refusal, status, errorType, late }: Ended): Outcome {
  if (ending === 'hung_up' && errorType === 'client_closed') return late ? 'slow' : 'ignored';
  if (ending === 'interrupted') return 'ignored';
  if (ending === 'refused') return FAILED.has(refusal) ? 'failure' : 'ignored';
  if (ending === 'broken') return 'failure';
  if (status === 429) return 'throttled';
  if (errorType === '') return late ? 'slow' : 'success';
  if (DECLINED.has(errorType)) return 'ignored';
  if (status >= 500) return 'failure';
  if (status >= 400) return 'ignored';
  const word = uncapitalized(errorType);
  if (THROTTLED.has(word)) return 'throttled';
  return CALLERS_OWN.has(word) ? 'ignored' : 'failure';
}

/** AWS writes its errors `ValidationException` in a header and `validationException` in a stream. */
const uncapitalized = (word: string): string =>
  word.endsWith('Exception') ? word.charAt(0).toLowerCase() + word.slice(1) : word;
