// One attribute, a KeyValue, as whoever judges it must see it: written in more ways than one, and readers differ in which
// they take. A name counts wherever it stands; a value, only where it has one meaning to all of them.

import { fieldsOf } from './message-fields.ts';

const KEY = 1;
const VALUE = 2;
const STRING_VALUE = 1;

/** Whether any key of a KeyValue is this one: readers take the last, or the first. */
export function isNamed(keyValue: Buffer, key: Buffer): boolean {
  for (const { number, at, end } of fieldsOf(keyValue))
    if (number === KEY && end - at === key.length && keyValue.compare(key, 0, key.length, at, end) === 0)
      return true;
  return false;
}

/** The text of a KeyValue that has one key and one value; null of any other. */
export function textOf(keyValue: Buffer): string | null {
  const fields = [...fieldsOf(keyValue)];
  const value = fields.find(({ number }) => number === VALUE);
  if (fields.length !== 2 || !value) return null;
  const arms = [...fieldsOf(keyValue.subarray(value.at, value.end))];
  const [arm] = arms;
  if (!arm || arms.length !== 1 || arm.number !== STRING_VALUE) return null;
  const text = keyValue.subarray(value.at + arm.at, value.at + arm.end);
  return text.toString();
}
