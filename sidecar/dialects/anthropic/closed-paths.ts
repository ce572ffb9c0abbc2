// Anthropic's endpoints that stay shut, and why. Source: platform.claude.com/docs/en/api.

import type { ClosedPath } from '../closed-paths.ts';

export const CLOSED: readonly ClosedPath[] = [
  { under: 'complete', why: 'it is a form of its own that reports no usage: use /v1/messages' },
  { under: 'files', why: 'a stored file becomes input of later calls without passing here again' },
  { under: 'organizations', why: 'the administration of an account is no call that an agent makes' },
  { under: 'skills', why: 'a skill is code that runs at the provider' },
  { under: 'agents', why: 'an agent at the provider acts later, with tools and models that no rule judges' },
  {
    under: 'sessions',
    why: 'an agent at the provider acts later, with tools and models that no rule judges',
  },
  { under: 'environments', why: 'an environment is billed by the hour and runs code out of sight' },
  { under: 'vaults', why: 'a credential given to the provider is out of sight of any rule' },
  {
    under: 'memory_stores',
    why: 'what is stored there becomes input of later calls without passing here again',
  },
  { under: 'user_profiles', why: 'the administration of an account is no call that an agent makes' },
  { under: 'experimental', why: 'what it costs is never seen here' },
];
