// Checks of JSON that comes from outside: each function takes a value and where it stood, and returns the value in the form that
// the rest of the candidate uses, or throws `malformed`.
import { Problem } from './reasons.mjs';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const BASE64URL = /^[A-Za-z0-9_-]*$/;

function refuse(at, what) {
  throw new Problem('malformed', `${at}: ${what}`);
}

export function text(value, at) {
  if (typeof value !== 'string') refuse(at, 'not a string');
  // A lone surrogate has no UTF-8 form: it would be sent as another text than the one asked for.
  if (!value.isWellFormed()) refuse(at, 'not well-formed Unicode');
  return value;
}

export function flag(value, at) {
  return typeof value === 'boolean' ? value : refuse(at, 'not true or false');
}

export function isUuid(value) {
  return typeof value === 'string' && UUID.test(value);
}

export function uuid(value, at) {
  return isUuid(value) ? value.toLowerCase() : refuse(at, 'not a UUID');
}

/** A whole number from 0 to `most`. */
export const whole = (most) => (value, at) =>
  Number.isSafeInteger(value) && value >= 0 && value <= most ? value : refuse(at, `not a whole number up to ${most}`);

export const u32 = whole(0xffffffff);
export const u64 = whole(Number.MAX_SAFE_INTEGER);

/** Unpadded base64url, in its one canonical spelling. */
export function bytes(value, at) {
  if (typeof value !== 'string' || !BASE64URL.test(value)) refuse(at, 'not base64url without padding');
  const decoded = Buffer.from(value, 'base64url');
  return decoded.toString('base64url') === value ? decoded : refuse(at, 'not canonical base64url');
}

export const oneOf = (...words) => (value, at) => (words.includes(value) ? value : refuse(at, `not one of ${words.join(', ')}`));

export const list = (of, most = Infinity) => (value, at) => {
  if (!Array.isArray(value)) refuse(at, 'not a list');
  if (value.length > most) refuse(at, `more than ${most} entries`);
  return value.map((entry, i) => of(entry, `${at}[${i}]`));
};

/** Marks a member that may be absent or null. */
export const optional = (of) => Object.assign((value, at) => (value === null ? undefined : of(value, at)), { optional: true });

/** An object with exactly these members. */
export const object = (members) => (value, at) => {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) refuse(at, 'not an object');
  for (const name of Object.keys(value)) if (!Object.hasOwn(members, name)) refuse(at, `unknown member \`${name}\``);
  const result = {};
  for (const [name, of] of Object.entries(members)) {
    if (Object.hasOwn(value, name)) result[name] = of(value[name], `${at}.${name}`);
    else if (!of.optional) refuse(at, `\`${name}\` is missing`);
  }
  return result;
};

/** The same from somebody who may be newer: unknown members are left out, and an unknown `kind` is `unsupported`. */
export const taggedByNewer = (kinds) => (value, at) => {
  const kind = value?.kind;
  if (typeof kind !== 'string' || !Object.hasOwn(kinds, kind)) throw new Problem('unsupported', `${at}: unknown \`kind\``);
  const known = Object.entries(value).filter(([name]) => name === 'kind' || Object.hasOwn(kinds[kind], name));
  return object({ kind: text, ...kinds[kind] })(Object.fromEntries(known), at);
};

/** An object whose members depend on its `kind`. */
export const tagged = (kinds) => (value, at) => {
  const kind = value?.kind;
  if (typeof kind !== 'string' || !Object.hasOwn(kinds, kind)) refuse(at, 'unknown `kind`');
  return object({ kind: text, ...kinds[kind] })(value, at);
};
