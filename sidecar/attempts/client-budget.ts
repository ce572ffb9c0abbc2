// Clients that try again by themselves share the retry budget: their tries load an upstream that fails like ours would.
// While there is room an answer passes as it came, and its client decides; beyond it the answer says
// `x-should-retry: false`, which the SDKs of OpenAI and Anthropic obey over any status.

import { type Answered, learn } from '../call.ts';
import { retriesItself, triesBefore } from './client-retries.ts';
import { withHeader } from './kept-answer.ts';
import type { RetryBudget } from './retry-budget.ts';

/** What their SDKs do unless told otherwise. */
const CLIENT_RETRIES = 2;

/** Only asked of an answer that goes to the agent. */
export function boundClient(answered: Answered, budget: RetryBudget): void {
  const { answer, agent, policy, request } = answered;
  if (agent.mode !== 'enforce' || policy.config.retries === null) return;
  if (!invitesRetry(answer.status) || answer.header('x-should-retry') === 'false') return;
  if (!retriesItself(request.headers) || triesBefore(request.headers) >= CLIENT_RETRIES || budget.take())
    return;
  learn(answered, { answer: withHeader(answer, 'x-should-retry', 'false') });
}

/** 408 Request Timeout, 409 Conflict, 429, and every fault of a server's (openai-node, anthropic-sdk: `shouldRetry`). */
const invitesRetry = (status: number): boolean =>
  status >= 500 || status === 429 || status === 408 || status === 409;
