// One dead letter as a page of text: what it was doing, where it failed, what exists so far, and what can be done next.

import type { DeadLetter, FailedCall, TaskCall } from '../../contract/dead-letter.ts';
import { table } from '../../kit/table.ts';

const BODY_CHARACTERS_MAX = 4_000;

export function letterText(letter: DeadLetter): string {
  return [facts(letter), attempts(letter), body(letter), result(letter), soFar(letter), next(letter)]
    .filter((part) => part !== '')
    .join('\n');
}

function facts(letter: DeadLetter): string {
  const { id, state, kind, agent, instance, owner, task, target, model, method, path } = letter;
  const rows: [name: string, value: string][] = [
    ['letter', `${id}, ${state}: ${KINDS[kind]}`],
    ['agent', `${agent}/${instance}${owner ? `, owner ${owner}` : ''}`],
    ['task', task],
    ['call', `${method} ${path} (${target}${model ? `, model ${model}` : ''})`],
    [
      'error',
      [letter.http_status || '', letter.refusal || letter.error_type, letter.message]
        .filter(Boolean)
        .join(' '),
    ],
    ['trace', `${letter.trace_id}, span ${letter.span_id}`],
    ['since', `${letter.since}, last ${letter.last_seen}`],
    [
      'closed',
      letter.closed_at
        ? `${letter.closed_at} by ${letter.closed_by}${letter.reason && `: ${letter.reason}`}`
        : '',
    ],
  ];
  return table(rows.filter(([, value]) => value !== ''));
}

const KINDS = {
  failed: 'it failed, and may be done again',
  outcome_unknown: 'it may have happened',
  invalid_input: 'the upstream could not take what was sent',
} as const;

function attempts({ attempts: calls, calls: count, folded }: DeadLetter): string {
  if (calls.length === 0) return '';
  const more = folded > 0 ? `, and ${folded} others like it` : '';
  const cells = ({ at, call_id, kind, http_status, error_type }: FailedCall) => [
    at,
    call_id,
    kind,
    String(http_status),
    error_type,
  ];
  return `Failed ${count === 1 ? 'once' : `${count} times`}${more}:\n${table(calls.map(cells))}`;
}

function body({ request, not_kept, answer, body_digest }: DeadLetter): string {
  const digest = body_digest ? `body ${body_digest.slice(0, 16)}…; ` : '';
  const asked = request
    ? `Request:\n${request.method} ${request.path}\n${shortened(request.body ?? '(not text)')}\n`
    : `Request: ${digest}${not_kept}.\n`;
  return answer === null ? asked : `${asked}\nAnswer:\n${shortened(answer)}\n`;
}

const shortened = (text: string): string =>
  text.length > BODY_CHARACTERS_MAX ? `${text.slice(0, BODY_CHARACTERS_MAX)}…` : text;

function result({ result: came, replays, replay_asked_by: by }: DeadLetter): string {
  if (!came) return replays > 0 ? `Replay ${replays} runs, asked by ${by}.\n` : '';
  const { at, call_id, status, http_status, refusal, error_type, why } = came;
  const words = [status, http_status || '', refusal || error_type, why].filter(Boolean).join(' ');
  return `Replayed ${replays === 1 ? 'once' : `${replays} times`}, asked by ${by}; ${at}: ${words}${call_id ? ` (call ${call_id})` : ''}\n`;
}

function soFar({ task_so_far: calls, task }: DeadLetter): string {
  if (calls.length === 0) return `Nothing of task ${task} came through before.\n`;
  const cells = ({ at, call_id, target, cost_usd }: TaskCall) => [
    at,
    call_id,
    target,
    cost_usd ? `$${cost_usd}` : '',
  ];
  return `What exists of task ${task}:\n${table(calls.map(cells))}`;
}

function next({ state, replayable, not_kept, kind, id }: DeadLetter): string {
  const short = id.slice(0, 12);
  if (state !== 'open') return '';
  if (!replayable) return `It cannot be replayed: ${not_kept}.\n`;
  const flag = kind === 'outcome_unknown' ? ' --even-if-it-may-have-happened' : '';
  return `Next: outrider dead-letters replay ${short}${flag}\n   or: outrider dead-letters discard ${short} --reason TEXT\n`;
}
