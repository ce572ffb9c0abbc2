// OpenAI's endpoints that stay shut, and why. Source: the sections of platform.openai.com/docs/api-reference.

import type { ClosedPath } from '../closed-paths.ts';

export const CLOSED: readonly ClosedPath[] = [
  { under: 'fine_tuning', why: 'training is billed by the hour and by the token, which no answer reports' },
  { under: 'fine-tunes', why: 'training is billed by the hour and by the token, which no answer reports' },
  { under: 'assistants', why: 'an assistant acts later, with tools and models that no rule judges' },
  {
    under: 'threads',
    why: 'a run of a thread uses models and tools that stand elsewhere, out of sight of any rule',
  },
  {
    under: 'vector_stores',
    why: 'a vector store is billed by storage and by search, which no answer reports',
  },
  { under: 'conversations', why: 'stored items become input of later calls without passing here again' },
  {
    under: 'realtime',
    why: 'a realtime session is a WebSocket whose tokens of sound have rates of their own',
  },
  { under: 'live', why: 'a realtime session is a WebSocket whose tokens of sound have rates of their own' },
  { under: 'audio', why: 'speech is billed by the second or by tokens of sound, which are not metered here' },
  {
    under: 'images',
    why: 'pictures are billed by the piece or by tokens of pictures, which are not metered here',
  },
  { under: 'videos', why: 'film is billed by the second, which no answer reports' },
  {
    under: 'moderations',
    why: 'it is free at OpenAI and billed elsewhere under the same path, without a usage',
  },
  { under: 'alpha/search', why: 'it searches the web at a fee that no answer reports' },
  { under: 'organization', why: 'the administration of an account is no call that an agent makes' },
  { under: 'dashboard', why: 'the administration of an account is no call that an agent makes' },
  { under: 'projects', why: 'the administration of an account is no call that an agent makes' },
  { under: 'uploads', why: 'a file in pieces cannot be judged before it is whole: post it to /v1/files' },
  { under: 'containers', why: 'a container is billed by the hour and runs code out of sight' },
  { under: 'evals', why: 'an evaluation makes calls of models that no rule judges' },
  { under: 'graders', why: 'a grader makes calls of models that no rule judges' },
  { under: 'chatkit', why: 'a session of ChatKit talks to models past this door' },
  { under: 'skills', why: 'a skill is code that runs at the provider' },
  { under: 'responses/compact', why: 'a compaction reads and writes tokens that the request does not bound' },
  { under: 'chat/completions', why: 'stored completions are read and changed by people, not by agents' },
  { under: 'engines', why: 'it is an old form of /v1/completions: use that' },
  { under: 'edits', why: 'it is no longer served: use /v1/chat/completions' },
  { under: 'models', why: 'taking a model away is no call that an agent makes' },
];
