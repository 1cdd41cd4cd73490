// A library called directly, through ../party alone, and what it does held against what is said of it in ../../RESULTS.md.
import { randomUUID } from 'node:crypto';
import { Parties, wire } from '../party/lines.mjs';

const REGISTRATION_ID = 4711;
const bytes = (text) => Buffer.from(text, 'base64url');

/** One party, its keys known. */
export class Side {
  static async of(library, profile, count = 1) {
    const side = new Side();
    side.library = library;
    side.parties = new Parties(library);
    side.name = randomUUID();
    side.keys = library.generate({ registrationId: REGISTRATION_ID, kyber: profile !== 'v3', count });
    side.published = wire(await side.parties.import({ party: side.name, profile, keys: wire(side.keys) }));
    return side;
  }

  /** Our bundle with its one-time prekey; `change` may replace parts of it, and `sign` signs them. */
  async bundle(change = {}, oneTime = false) {
    const bundle = structuredClone(wire(this.parties.bundle({ party: this.name, one_time: oneTime })));
    return { ...bundle, ...change };
  }

  sign(key) {
    return wire(this.library.sign(this.keys.identity_private, key));
  }

  async process(peer, bundle) {
    await this.parties.process({ party: this.name, peer: peer.name, bundle: bundle ?? (await peer.bundle()) });
  }

  async encrypt(peer, text) {
    const { type, body } = await this.parties.encrypt({ party: this.name, peer: peer.name, plaintext: wire(Buffer.from(text)) });
    return { type, body: Buffer.from(body) };
  }

  async decrypt(peer, { type, body }) {
    const { plaintext } = await this.parties.decrypt({ party: this.name, peer: peer.name, type, body: wire(body) });
    return Buffer.from(plaintext).toString();
  }

  archive(peer) {
    return this.parties.archive({ party: this.name, peer: peer.name });
  }

  /** A record as the library keeps it, such as `identity …` or `session …`. */
  record(name) {
    return this.parties.record(this.name, name);
  }
}

export const pairOf = (library, profile) => Promise.all([Side.of(library, profile), Side.of(library, profile)]);

/** A session between two, confirmed by an answer. */
export async function inSession(library, profile) {
  const [alice, bob] = await pairOf(library, profile);
  await alice.process(bob);
  await bob.decrypt(alice, await alice.encrypt(bob, 'hello'));
  await alice.decrypt(bob, await bob.encrypt(alice, 'hello'));
  return [alice, bob];
}

export const changed = ({ type, body }, change) => {
  const copy = Buffer.from(body);
  return { type, body: change(copy) ?? copy };
};

/** Replaces what stands after these bytes, which are a field's tag and length. */
export const replaced = (message, tag, value) => changed(message, (body) => void value.copy(body, body.indexOf(Buffer.from(tag)) + tag.length));

/**
 * Prints what a call came to. `expected`: `accepted`, or a part of the text with which the library refuses. Anything else ends the
 * script with 1: what is said of this library would no longer be true.
 */
export async function confirm(what, expected, action) {
  let outcome;
  try {
    const result = await action();
    outcome = `accepted${typeof result === 'string' ? ` "${result}"` : ''}`;
  } catch (error) {
    outcome = `refused: ${error.message}`;
  }
  const holds = expected === 'accepted' ? outcome.startsWith('accepted') : outcome.startsWith('refused') && outcome.includes(expected);
  if (!holds) process.exitCode = 1;
  process.stdout.write(`${what.padEnd(66)} ${outcome.slice(0, 150)}${holds ? '' : `    UNEXPECTED: it was to be \`${expected}\``}\n`);
}

/** The same for a fact. */
export function confirmFact(what, expected, found) {
  const holds = expected === found;
  if (!holds) process.exitCode = 1;
  process.stdout.write(`${what.padEnd(66)} ${found}${holds ? '' : `    UNEXPECTED: it was to be \`${expected}\``}\n`);
}
