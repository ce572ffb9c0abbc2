// What a sender may claim to be, held against what its request says. A resource that says otherwise is written anew: a
// token for one agent makes its sender that agent, whatever it says; one for several refuses who says none of them. What
// the request is stored as, its digest and its receipt are of the bytes that leave here.
// An attribute may be written in more ways than one, and readers differ in which they take: only what has one meaning to
// all of them is believed.

import { compileName } from '../../contract/rules/glob.ts';
import { AGENT_ATTRIBUTE, AGENT_CLAIM, type Claims } from '../../contract/token.ts';
import { ProtobufWriter } from '../../kit/protobuf.ts';
import type { Signal } from '../signals.ts';
import type { Framing } from './framing.ts';
import { isNamed, textOf } from './key-value.ts';
import { fieldsOf } from './message-fields.ts';
import { Unacceptable } from './unacceptable.ts';

// ResourceSpans and its like have the same numbers in all signals, and so have ScopeSpans and Scope.
const PART = 1;
const RESOURCE = 1;
const SCOPED = 2;
const SCOPE = 1;
const SCOPE_NAME = 1;
const ATTRIBUTES = 1;
const KEY = 1;
const VALUE = 2;
const STRING_VALUE = 1;

/** Of scopes by which the collector knows records that count. */
const RESERVED_SCOPES = Buffer.from('outrider.');
/** Each may grow by what it must claim: a request of empty ones would become many times its size. */
const RESOURCES_MAX = 10_000;

export interface Bound {
  readonly request: Buffer;
  /** Resources and scopes that said to be what the token is not. */
  readonly overruled: number;
}

/** Binds a request that the framing walk let pass. Throws Unacceptable: 403 for what none of the claims covers. */
export type Binding = (signal: Signal, request: Buffer, framing: Framing) => Bound;

export function bindingOf(claims: Claims): (signal: Signal, request: Buffer) => Bound {
  const rules = Object.entries(claims).map(([name, values]) => ruleOf(name, values));
  return (_signal, request) => new Rewrite(rules, request.length).bound(request);
}

interface Rule {
  readonly attribute: string;
  readonly key: Buffer;
  /** What the resource is whatever it says; null where it must say one of several. */
  readonly own: string | null;
  allows(value: string): boolean;
  readonly refusal: string;
}

function ruleOf(name: string, values: readonly string[]): Rule {
  const attribute = name === AGENT_CLAIM ? AGENT_ATTRIBUTE : name;
  const matchers = values.map(compileName);
  const [first, ...others] = values;
  return {
    attribute,
    key: Buffer.from(attribute),
    own: others.length === 0 && first !== undefined && !first.includes('*') ? first : null,
    allows: (value) => matchers.some((matches) => matches(value)),
    refusal: `this token sends for ${values.join(', ')} alone: set the resource attribute ${attribute} to that`,
  };
}

class Rewrite {
  readonly #rules: readonly Rule[];
  readonly #writer: ProtobufWriter;
  #overruled = 0;
  #parts = 0;
  #isAsGiven = true;

  constructor(rules: readonly Rule[], bytes: number) {
    this.#rules = rules;
    this.#writer = new ProtobufWriter(bytes + 256);
  }

  bound(request: Buffer): Bound {
    this.#copy(request, { [PART]: (part) => this.#part(part) });
    return { request: this.#isAsGiven ? request : this.#writer.finish(), overruled: this.#overruled };
  }

  #part(part: Buffer): void {
    if (++this.#parts > RESOURCES_MAX)
      throw new Unacceptable(413, `a request of a bound token may hold ${RESOURCES_MAX} resources`);
    const seen = this.#copy(part, {
      [RESOURCE]: (resource) => this.#resource(resource),
      [SCOPED]: (scoped) => this.#copy(scoped, { [SCOPE]: (scope) => this.#scope(scope) }),
    });
    if (!seen.has(RESOURCE)) this.#writer.message(RESOURCE, () => this.#resource(Buffer.alloc(0)));
  }

  #resource(resource: Buffer): void {
    const said = this.#rules.map((): (string | null)[] => []);
    for (const field of fieldsOf(resource)) {
      const content = resource.subarray(field.at, field.end);
      const at = field.number === ATTRIBUTES ? this.#rules.findIndex(({ key }) => isNamed(content, key)) : -1;
      if (at < 0) this.#writer.raw(resource.subarray(field.start, field.end));
      else said[at]!.push(textOf(content));
    }
    this.#rules.forEach((rule, at) => {
      this.#claim(rule, said[at]!);
    });
  }

  #claim(rule: Rule, said: readonly (string | null)[]): void {
    const [only = null, ...others] = said;
    const isBelieved = only !== null && others.length === 0 && rule.allows(only);
    const value = isBelieved ? only : rule.own;
    if (value === null) throw new Unacceptable(403, rule.refusal);
    if (!isBelieved) {
      this.#isAsGiven = false;
      if (said.length > 0) this.#overruled += 1;
    }
    this.#writer.message(ATTRIBUTES, () => {
      this.#writer.string(KEY, rule.attribute);
      this.#writer.message(VALUE, () => this.#writer.string(STRING_VALUE, value));
    });
  }

  #scope(scope: Buffer): void {
    for (const { number, start, at, end } of fieldsOf(scope)) {
      const isName = number === SCOPE_NAME;
      if (isName && scope.subarray(at, end).indexOf(RESERVED_SCOPES) === 0) {
        this.#isAsGiven = false;
        this.#overruled += 1;
      } else this.#writer.raw(scope.subarray(start, end));
    }
  }

  /** Copies a message; what stands in the fields of `within` is written by whoever is named there. Returns which were there. */
  #copy(message: Buffer, within: Readonly<Record<number, (content: Buffer) => void>>): ReadonlySet<number> {
    const seen = new Set<number>();
    for (const { number, start, at, end } of fieldsOf(message)) {
      const write = within[number];
      seen.add(number);
      if (write === undefined) this.#writer.raw(message.subarray(start, end));
      else this.#writer.message(number, () => write(message.subarray(at, end)));
    }
    return seen;
  }
}
