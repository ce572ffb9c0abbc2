// A fallback that could never serve is found when the file is read, not in the outage it was written for: it names one
// model of a provider's upstream, and the role may call it. Conditions are weighed call by call.

import { speaksLlm } from '../attributes.ts';
import type { Rule, Subject } from '../rules.ts';
import type { Config, Role } from './config.ts';
import { type Problem, problemAt } from './problems.ts';
import { type MapTree, type Path, valuePlace } from './tree.ts';

export function checkFallbacks(config: Config, tree: MapTree): Problem[] {
  const problems: Problem[] = [];
  const report = (path: Path, message: string) =>
    void problems.push(problemAt(valuePlace(tree, path), message));
  for (const [name, role] of config.roles) {
    for (const [index, target] of role.fallback.entries()) {
      const mistake = mistakeIn(config, role, target);
      if (mistake !== null) report(['roles', name, 'fallback', index], mistake);
    }
  }
  return problems;
}

/** An upstream's name has no slash; a model's may. */
export function readTarget(target: string): { readonly upstream: string; readonly model: string } {
  const slash = target.indexOf('/');
  if (slash < 0) return { upstream: target, model: '' };
  return { upstream: target.slice(0, slash), model: target.slice(slash + 1) };
}

function mistakeIn(config: Config, role: Role, target: string): string | null {
  const { upstream, model } = readTarget(target);
  if (model === '' || model.includes('*')) return `a fallback is one upstream/model, not "${target}"`;
  const known = config.upstreams.get(upstream);
  if (!known) return null; // said already
  if (!speaksLlm(known.speaks)) return `"${upstream}" serves no models: it speaks ${known.speaks}`;
  const subject: Subject = { kind: 'llm', upstream, model };
  const closes = (rule: Rule): boolean => rule.when === null && rule.matches(subject);
  const against = [...config.prohibited, ...role.deny, ...role.ask].find(closes);
  if (against) return `${target} could never serve: the rule "${against.text}" is against it`;
  const opens = [...role.allow, ...role.notify].some((rule) => rule.matches(subject));
  return opens ? null : `the role may not call ${target}: add "llm ${target}" to what it allows`;
}
