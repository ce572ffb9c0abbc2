// A silence: until when nobody is told of what it matches, why, and who said so. What fires meanwhile is still listed,
// and told when the silence ends before it is over.

import { type Incident, MATCHABLE, type Silence } from '../../contract/alert.ts';

export function silences(silence: Silence, incident: Incident): boolean {
  return MATCHABLE.every((name) => {
    const wanted = silence.matchers[name];
    if (wanted === undefined) return true;
    return wanted.endsWith('*') ? incident[name].startsWith(wanted.slice(0, -1)) : incident[name] === wanted;
  });
}
