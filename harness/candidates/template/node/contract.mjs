// The contract: what `contract/upper-tester.json` says, read from there. The command `countersign schema upper-tester` prints a
// newer one; replace the file, and `node --test` names what is missing here.
import { readFileSync } from 'node:fs';

export const LONGEST_LINE = 4 * 1024 * 1024;

const DOCUMENT = JSON.parse(readFileSync(new URL('contract/upper-tester.json', import.meta.url), 'utf8'));

export const VERSION = DOCUMENT.info.version;
export const SCHEMAS = DOCUMENT.components.schemas;
/** The name of each operation, with the schema of its arguments. */
export const OPERATIONS = new Map(
  Object.entries(DOCUMENT.paths).map(([path, item]) => [path.slice(1), item.post.requestBody.content['application/json'].schema]),
);
export const REASONS = SCHEMAS.Reason.oneOf.map((reason) => reason.const);

const STATUS = {
  malformed: 400, unauthorized: 401, 'unknown-user': 404, 'unknown-instance': 404, 'media-missing': 404, duplicate: 409,
  'too-old': 409, 'untrusted-identity': 409, 'not-connected': 409, 'deleted-user': 410, 'too-large': 413, internal: 500,
  unsupported: 501, 'gateway-error': 502, busy: 503, timeout: 504,
};

/** A failure with one of the contract's reasons. `detail` is for people and never matched. */
export class Problem extends Error {
  constructor(reason, detail = '') {
    super(detail);
    if (!REASONS.includes(reason)) throw new TypeError(`\`${reason}\` is not one of the contract's reasons`);
    this.reason = reason;
    this.status = STATUS[reason] ?? 422;
  }

  toJSON() {
    return { reason: this.reason, detail: this.message, status: this.status };
  }
}

/** The problem that an error stands for. What is none yet is a fault of our own: people read it on standard error. */
export function problemOf(error) {
  if (error instanceof Problem) return error;
  console.error(error);
  return new Problem('internal', 'a fault of the candidate; see its standard error');
}

/** Bytes as base64url without padding. */
export const encode = (bytes) => Buffer.from(bytes).toString('base64url');

/** The bytes of unpadded base64url, in its one spelling. */
export function decode(text) {
  const bytes = typeof text === 'string' ? Buffer.from(text, 'base64url') : null;
  if (bytes === null || encode(bytes) !== text) throw new Problem('malformed', 'not base64url without padding');
  return bytes;
}

export const isUuid = (text) => typeof text === 'string' && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);

const TYPES = {
  object: (v) => v !== null && typeof v === 'object' && !Array.isArray(v),
  array: Array.isArray,
  // A lone surrogate has no UTF-8 form: it would be sent as another text than the one asked for.
  string: (v) => typeof v === 'string' && v.isWellFormed(),
  integer: Number.isSafeInteger,
  boolean: (v) => typeof v === 'boolean',
  null: (v) => v === null,
};
const LARGEST = { uint8: 0xff, uint16: 0xffff, uint32: 0xffffffff };

/** Throws `malformed` unless the value fits the schema. The keywords that the contract uses, and no others. */
export function check(value, schema, at) {
  const refuse = (what) => {
    throw new Problem('malformed', `${at}: ${what}`);
  };
  if (schema.$ref) return check(value, SCHEMAS[schema.$ref.split('/').at(-1)], at);
  for (const choices of [schema.oneOf, schema.anyOf]) {
    if (choices && !choices.some((one) => fits(value, one, at))) refuse('fits no form of the contract');
  }
  if (schema.const !== undefined && value !== schema.const) refuse(`not ${schema.const}`);
  const types = [schema.type ?? []].flat();
  if (types.length > 0 && !types.some((name) => TYPES[name](value))) refuse(`not of type ${types.join(' or ')}`);
  if (schema.pattern && typeof value === 'string' && !new RegExp(schema.pattern).test(value)) refuse('of another form');
  if (schema.format === 'uuid' && !isUuid(value)) refuse('not a UUID');
  if (typeof value === 'number' && (value < (schema.minimum ?? value) || value > (LARGEST[schema.format] ?? value))) refuse('out of range');
  if (Array.isArray(value) && schema.items) value.forEach((entry, i) => check(entry, schema.items, `${at}[${i}]`));
  if (TYPES.object(value)) {
    for (const name of schema.required ?? []) if (!Object.hasOwn(value, name)) refuse(`\`${name}\` is missing`);
    for (const [name, member] of Object.entries(value)) {
      if (Object.hasOwn(schema.properties ?? {}, name)) check(member, schema.properties[name], `${at}.${name}`);
      else if (schema.additionalProperties === false) refuse(`there is no member \`${name}\``);
    }
  }
  return value;
}

function fits(value, schema, at) {
  try {
    check(value, schema, at);
    return true;
  } catch {
    return false;
  }
}
