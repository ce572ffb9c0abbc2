// Frozen all the way down, maps included: Object.freeze leaves a Map's entries open, so its writers are taken away.

const refuse = (): never => {
  throw new TypeError('the configuration is frozen');
};

export function deepFreeze<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  if (value instanceof Map) {
    for (const member of value.values()) deepFreeze(member);
    Object.assign(value, { set: refuse, delete: refuse, clear: refuse });
  } else for (const member of Object.values(value)) deepFreeze(member);
  return Object.freeze(value);
}
