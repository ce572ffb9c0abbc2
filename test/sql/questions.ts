// Reads the questions of docs/sql and asks them at a read-only SQL door, as a person with a terminal does. Each file says
// its question, when to ask it, its parameters and its columns in its first lines.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { rows } from '../support/processes.ts';

const FOLDER = join(import.meta.dirname, '../../docs/sql');

export interface Question {
  /** `03-what-a-task-cost`. */
  readonly name: string;
  readonly question: string;
  readonly when: string;
  readonly parameters: readonly string[];
  readonly columns: readonly string[];
  readonly sql: string;
}

export interface Answered {
  readonly columns: readonly string[];
  /** Values in the order of the columns; 64-bit integers and decimals as text. */
  readonly rows: readonly Readonly<Record<string, unknown>>[];
}

export type Parameters = Readonly<Record<string, string>>;

export function readQuestions(): readonly Question[] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith('.sql'))
    .sort()
    .map((file) => read(file.slice(0, -'.sql'.length), readFileSync(join(FOLDER, file), 'utf8')));
}

function read(name: string, sql: string): Question {
  const [question = '', when = '', parameters = '', columns = ''] = sql.split('\n');
  const listed = (line: string, label: string) => {
    const text = line.startsWith(`-- ${label}: `) ? line.slice(`-- ${label}: `.length) : '';
    return text === 'none' ? [] : text.split(', ');
  };
  return {
    name,
    question: question.replace(/^-- /, ''),
    when: when.replace(/^-- When: /, ''),
    parameters: listed(parameters, 'Parameters'),
    columns: listed(columns, 'Columns'),
    sql,
  };
}

/** Throws an Error with the door's sentence. */
export async function ask(door: string, { sql, parameters }: Question, given: Parameters): Promise<Answered> {
  const url = new URL(door);
  url.searchParams.set('default_format', 'JSON');
  for (const name of parameters) {
    const value = given[name];
    if (value === undefined) throw new Error(`no value for the parameter ${name}`);
    url.searchParams.set(`param_${name}`, value);
  }
  const answer = await fetch(url, { method: 'POST', body: sql });
  const text = await answer.text();
  if (!answer.ok) throw new Error(text);
  const { meta, data } = JSON.parse(text) as { meta: { name: string }[]; data: Record<string, unknown>[] };
  return { columns: meta.map(({ name }) => name), rows: data };
}

/**
 * Every question to a door, with parameters found in what is stored there: the agent that calls most, its last task and
 * call, everything since the beginning. For any fleet with some calls behind it; names of questions that fail, and why.
 */
export async function askAll(door: string): Promise<{
  readonly answers: ReadonlyMap<string, Answered>;
  readonly failures: readonly string[];
}> {
  const given = await parametersFrom(door);
  const answers = new Map<string, Answered>();
  const failures: string[] = [];
  for (const question of readQuestions()) {
    try {
      const answer = await ask(door, question, given);
      answers.set(question.name, answer);
      if (answer.columns.join() !== question.columns.join())
        failures.push(`${question.name}: its columns are ${answer.columns.join(', ')}`);
    } catch (failure) {
      failures.push(`${question.name}: ${failure instanceof Error ? failure.message : String(failure)}`);
    }
  }
  return { answers, failures };
}

export async function parametersFrom(door: string): Promise<Parameters> {
  const [found] = await rows<Record<string, string>>(
    door,
    `SELECT agent_id AS agent, argMax(task_id, timestamp) AS task, argMax(call_id, timestamp) AS call,
       toString(min(timestamp)) AS since
     FROM actions WHERE task_id != '' GROUP BY agent_id ORDER BY count() DESC LIMIT 1`,
  );
  if (!found) throw new Error('nothing is stored there to ask about');
  return {
    ...found,
    usual_since: found.since!,
    until: 'now',
    at_least: '2',
    idle_minutes: '0',
    upstream: 'openai',
    from_hour: '8',
    to_hour: '18',
  };
}
