// Shapes and units of a tree, checked against the schema. What is wrong is reported and cut out, and the rest goes on, so
// that a misspelt key in one agent does not hide an unknown role in another.

import type { z } from 'zod';
import { invariant } from '../../kit/invariant.ts';
import { closest } from './closest.ts';
import { type Problem, problemAt } from './problems.ts';
import { configSchema, type FileConfig } from './schema.ts';
import { keyPlace, type MapTree, nodeAt, type Path, plain, valuePlace } from './tree.ts';

/** Each round cuts at least one level off, and a configuration has fewer. */
const ROUNDS_MAX = 32;

type Issue = z.core.$ZodIssue;

/** What is right in the tree, and a problem for each thing that is not. */
export function checkShape(tree: MapTree): { file: FileConfig; problems: Problem[] } {
  let value = plain(tree);
  let result = configSchema.safeParse(value);
  const problems = result.success ? [] : issuesOf(result.error).flatMap((issue) => problemsOf(issue, tree));
  for (let rounds = 0; !result.success; rounds += 1) {
    invariant(rounds < ROUNDS_MAX, 'cutting out what is wrong must come to an end');
    for (const issue of issuesOf(result.error)) value = cutOut(value, issue);
    result = configSchema.safeParse(value);
  }
  return { file: result.data, problems };
}

/** Of a union, what the branch that was meant complains of: the one whose complaints lie deepest. */
function narrow(issue: Issue): Issue[] {
  if (issue.code !== 'invalid_union') return [issue];
  const meant = issue.errors.find((branch) => branch.every(isInside));
  if (!meant) return [issue];
  return meant.flatMap((inner) => narrow({ ...inner, path: [...issue.path, ...inner.path] } as Issue));
}

const issuesOf = (error: z.core.$ZodError): Issue[] => error.issues.flatMap(narrow);

const isInside = (issue: Issue): boolean => issue.path.length > 0 || issue.code === 'unrecognized_keys';

function problemsOf(issue: Issue, tree: MapTree): Problem[] {
  const path = issue.path as Path;
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(key, path, tree));
  if (issue.code === 'invalid_key') {
    return [problemAt(keyPlace(tree, path), issue.issues[0]?.message ?? 'this key is not possible here')];
  }
  const node = nodeAt(tree, path);
  const key = `"${path.findLast((step) => typeof step === 'string') ?? ''}"`;
  if (!node) return [problemAt(keyPlace(tree, path.slice(0, -1)), `${key} is missing`)];
  if (node.kind === 'scalar' && node.value === null) {
    return [problemAt(keyPlace(tree, path), `${key} has no value: fill it in or remove it`)];
  }
  if (issue.code === 'invalid_value' && node.kind === 'scalar')
    return [wrongWord(issue.values, node.text, path, tree)];
  return [problemAt(valuePlace(tree, path), sentenceOf(issue, key))];
}

function unknownKey(key: string, parent: Path, tree: MapTree): Problem {
  const place = keyPlace(tree, [...parent, key]);
  const suggestion = closest(key, keysAt(parent));
  return problemAt(place, `unknown key "${key.slice(0, 40)}"`, suggestion);
}

function wrongWord(values: readonly unknown[], text: string, path: Path, tree: MapTree): Problem {
  const words = values.map(String);
  const place = valuePlace(tree, path);
  return problemAt(place, `"${String(path.at(-1))}" is one of ${words.join(', ')}`, closest(text, words));
}

function sentenceOf(issue: Issue, key: string): string {
  if (issue.code === 'invalid_type' && issue.message.startsWith('Invalid input')) {
    return `${key} must be ${EXPECTED[issue.expected] ?? issue.expected}`;
  }
  return issue.message.startsWith('must') ? `${key} ${issue.message}` : `${key}: ${issue.message}`;
}

const EXPECTED: Readonly<Record<string, string>> = {
  string: 'text; put it in quotes if it looks like a number',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list, such as [a, b]',
  object: 'a map of keys, such as { key: value }',
  record: 'a map of names, such as { name: … }',
};

/** The keys that the schema knows at a place. */
function keysAt(path: Path): readonly string[] {
  let schemas: z.core.$ZodType[] = [configSchema];
  for (const step of path) schemas = schemas.flatMap((schema) => stepInto(schema, step));
  return schemas.flatMap((schema) => Object.keys(shapeOf(schema)));
}

function stepInto(schema: z.core.$ZodType, step: string | number): z.core.$ZodType[] {
  const definition = unwrap(schema)._zod.def as {
    shape?: Record<string, z.core.$ZodType>;
    valueType?: z.core.$ZodType;
    element?: z.core.$ZodType;
    options?: z.core.$ZodType[];
  };
  if (definition.options) return definition.options.flatMap((option) => stepInto(option, step));
  const next = definition.shape?.[step] ?? definition.valueType ?? definition.element;
  return next ? [...unions(unwrap(next))] : [];
}

function unions(schema: z.core.$ZodType): z.core.$ZodType[] {
  const options = (schema._zod.def as { options?: z.core.$ZodType[] }).options;
  return options ?? [schema];
}

function unwrap(schema: z.core.$ZodType): z.core.$ZodType {
  const inner = (schema._zod.def as { innerType?: z.core.$ZodType }).innerType;
  return inner ? unwrap(inner) : schema;
}

const shapeOf = (schema: z.core.$ZodType): object =>
  (unwrap(schema)._zod.def as { shape?: object }).shape ?? {};

/** The value without what the issue complains of; where something is missing, without what should hold it. */
function cutOut(value: unknown, issue: Issue): unknown {
  const path = issue.path as Path;
  if (issue.code !== 'unrecognized_keys') return without(value, path) ?? {};
  return issue.keys.reduce<unknown>((rest, key) => without(rest, [...path, key]) ?? {}, value);
}

/** Undefined: the value itself has to go. A list goes whole, so that the places of its items stay true. */
function without(value: unknown, [step, ...rest]: Path): unknown {
  if (step === undefined || typeof value !== 'object' || value === null || Array.isArray(value))
    return undefined;
  const { [step]: member, ...others } = value as Record<string | number, unknown>;
  if (member === undefined) return rest.length === 0 ? undefined : value;
  const left = without(member, rest);
  return left === undefined ? others : { ...others, [step]: left };
}
