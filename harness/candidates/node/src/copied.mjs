/** A copy of maps, sets, lists and plain objects. Bytes are shared: nobody changes them in place. */
export function copied(value) {
  if (value instanceof Map) return new Map([...value].map(([key, entry]) => [key, copied(entry)]));
  if (value instanceof Set) return new Set(value);
  if (Array.isArray(value)) return value.map(copied);
  if (value === null || typeof value !== 'object' || ArrayBuffer.isView(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, copied(entry)]));
}
