// The contract's closed list of reasons, and the problem that carries one.

const STATUS = {
  'bad-signature': 422,
  'bad-mac': 422,
  'bad-digest': 422,
  'bad-padding': 422,
  'bad-key': 422,
  'bad-version': 422,
  duplicate: 409,
  'too-old': 409,
  'unknown-prekey': 422,
  'no-session': 422,
  'wrong-recipient': 422,
  'untrusted-identity': 409,
  malformed: 400,
  'too-large': 413,
  'unknown-user': 404,
  'deleted-user': 410,
  'not-enlisted': 403,
  'unknown-instance': 404,
  'not-connected': 409,
  'media-missing': 404,
  'unknown-message': 404,
  'not-permitted': 403,
  'too-late': 409,
  blocked: 403,
  unauthorized: 401,
  unsupported: 501,
  'gateway-error': 502,
  busy: 503,
  timeout: 504,
  internal: 500,
};

export const REASONS = Object.keys(STATUS);

/** A failure with a reason of the contract. `detail` is for people. */
export class Problem extends Error {
  constructor(reason, detail = '') {
    if (!Object.hasOwn(STATUS, reason)) throw new TypeError(`\`${reason}\` is not one of the contract's reasons`);
    super(detail);
    this.reason = reason;
  }

  get status() {
    return STATUS[this.reason];
  }

  toJSON() {
    return { reason: this.reason, detail: this.message, status: this.status };
  }
}

/** The problem that an error stands for. What is not a problem yet is a fault of our own: people read it on standard error. */
export function problemOf(error) {
  if (error instanceof Problem) return error;
  console.error(error);
  return new Problem('internal', 'a fault of the candidate; see its standard error');
}
