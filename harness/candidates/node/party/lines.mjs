// Serves parties over lines of JSON: ../../PARTY.md is the protocol. Nothing here knows a library.
import { createInterface } from 'node:readline';
import { randomInt } from 'node:crypto';

const LONGEST_LINE = 4 * 1024 * 1024;
const MOST_ONE_TIME = 1000;
const LARGEST_REGISTRATION_ID = 16380;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const BASE64URL = /^[A-Za-z0-9_-]*$/;

/** A request that is wrong in itself. */
export class Fault extends Error {}

/** What the library said no with, in words. */
export class Refused extends Error {}

function fault(what) {
  throw new Fault(what);
}

const is = {
  name: (value, at) => (typeof value === 'string' && UUID.test(value) ? value : fault(`${at}: not a UUID in small letters`)),
  flag: (value, at) => (typeof value === 'boolean' ? value : fault(`${at}: not true or false`)),
  whole: (most) => (value, at) => (Number.isSafeInteger(value) && value >= 0 && value <= most ? value : fault(`${at}: not a whole number up to ${most}`)),
  bytes: (value, at) => (typeof value === 'string' && BASE64URL.test(value) ? Buffer.from(value, 'base64url') : fault(`${at}: not base64url`)),
  word: (...words) => (value, at) => (words.includes(value) ? value : fault(`${at}: not one of ${words.join(', ')}`)),
  list: (of) => (value, at) => (Array.isArray(value) ? value.map((entry, i) => of(entry, `${at}[${i}]`)) : fault(`${at}: not a list`)),
  object: (members) => (value, at) => {
    if (value === null || typeof value !== 'object') fault(`${at}: not an object`);
    return Object.fromEntries(Object.entries(members).map(([name, of]) => [name, of(value[name], `${at}.${name}`)]));
  },
  optional: (of) => (value, at) => (value === undefined || value === null ? undefined : of(value, at)),
};

const id = is.whole(0xffffffff);
const kyberPrivate = is.object({ id, public: is.bytes, private: is.bytes, signature: is.bytes });
const importedKeys = is.object({
  registration_id: id,
  identity_private: is.bytes,
  signed_prekey: is.object({ id, private: is.bytes, signature: is.bytes }),
  kyber_prekey: is.optional(kyberPrivate),
  one_time_prekeys: is.list(is.object({ id, private: is.bytes })),
  one_time_kyber_prekeys: is.list(kyberPrivate),
});
const signedKey = is.object({ id, key: is.bytes, signature: is.bytes });
const receivedBundle = is.object({
  registration_id: id,
  identity_key: is.bytes,
  signed_prekey: signedKey,
  one_time_prekey: is.optional(is.object({ id, key: is.bytes })),
  kyber_prekey: is.optional(signedKey),
});

/** Bytes become base64url wherever they stand in an answer. */
export function wire(value) {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64url');
  if (Array.isArray(value)) return value.map(wire);
  if (value !== null && typeof value === 'object') return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, wire(member)]));
  return value;
}

/**
 * One party: its public keys, what is left of its one-time prekeys, and its records, which are all that the library keeps. Records are
 * bytes by name; what a call writes counts only if the call succeeds.
 */
class Party {
  #records = new Map();
  #draft = new Map();

  constructor(name) {
    this.name = name;
  }

  get(name) {
    return this.#draft.has(name) ? this.#draft.get(name) : this.#records.get(name);
  }

  set(name, bytes) {
    this.#draft.set(name, Buffer.from(bytes));
  }

  delete(name) {
    this.#draft.set(name, undefined);
  }

  async once(action) {
    this.#draft.clear();
    const result = await action();
    for (const [name, bytes] of this.#draft) {
      if (bytes === undefined) this.#records.delete(name);
      else this.#records.set(name, bytes);
    }
    return result;
  }

  /** All that there is of the party, written out and read in again. */
  restarted() {
    const entries = [...this.#records].map(([name, bytes]) => [name, bytes.toString('base64')]);
    const stored = JSON.parse(JSON.stringify({ entries, name: this.name, published: wire(this.published), left: wire(this.left) }));
    const again = new Party(stored.name);
    Object.assign(again, { published: stored.published, left: stored.left });
    again.#records = new Map(stored.entries.map(([name, text]) => [name, Buffer.from(text, 'base64')]));
    return again;
  }
}

/** The parties of one library in this process, by name: a method for each operation, which takes a request. */
export class Parties {
  #parties = new Map();

  constructor(library) {
    this.library = library;
  }

  #party({ party }) {
    return this.#parties.get(is.name(party, 'party')) ?? fault(`no party ${party}`);
  }

  /** A record as the library keeps it; for `confirm/` alone. */
  record(party, name) {
    return this.#parties.get(party)?.get(name);
  }

  #call(party, action) {
    return party.once(() => action().catch((error) => {
      throw error instanceof Fault ? error : new Refused(this.library.text(error));
    }));
  }

  async #join(name, keys) {
    const party = new Party(name);
    const published = await this.#call(party, async () => this.library.install(party, keys));
    party.published = published;
    party.left = { ec: [...published.one_time_prekeys], kyber: [...published.one_time_kyber_prekeys] };
    this.#parties.set(name, party);
    return published;
  }

  about() {
    const { name, version, profiles } = this.library;
    return { library: name, version, profiles };
  }

  new({ party, profile, one_time }) {
    is.word(...this.library.profiles)(profile, 'profile');
    const count = is.whole(MOST_ONE_TIME)(one_time, 'one_time');
    const keys = this.library.generate({ registrationId: randomInt(1, LARGEST_REGISTRATION_ID + 1), kyber: profile !== 'v3', count });
    return this.#join(is.name(party, 'party'), keys);
  }

  import({ party, profile, keys }) {
    is.word(...this.library.profiles)(profile, 'profile');
    return this.#join(is.name(party, 'party'), importedKeys(keys, 'keys'));
  }

  bundle(request) {
    const { published, left } = this.#party(request);
    const { registration_id, identity_key, signed_prekey, kyber_prekey } = published;
    const bundle = { registration_id, identity_key, signed_prekey, kyber_prekey };
    if (!is.flag(request.one_time, 'one_time')) return bundle;
    bundle.one_time_prekey = left.ec.shift() ?? fault('no one-time prekey is left');
    if (kyber_prekey !== undefined) bundle.kyber_prekey = left.kyber.shift() ?? fault('no one-time Kyber prekey is left');
    return bundle;
  }

  async process(request) {
    const party = this.#party(request);
    const [peer, bundle] = [is.name(request.peer, 'peer'), receivedBundle(request.bundle, 'bundle')];
    await this.#call(party, async () => this.library.process(party, peer, bundle));
    return {};
  }

  encrypt(request) {
    const party = this.#party(request);
    const [peer, plaintext] = [is.name(request.peer, 'peer'), is.bytes(request.plaintext, 'plaintext')];
    return this.#call(party, async () => this.library.encrypt(party, peer, plaintext));
  }

  async decrypt(request) {
    const party = this.#party(request);
    const [peer, body] = [is.name(request.peer, 'peer'), is.bytes(request.body, 'body')];
    const type = is.word('prekey', 'normal')(request.type, 'type');
    return { plaintext: await this.#call(party, async () => this.library.decrypt(party, peer, type, body)) };
  }

  async archive(request) {
    const party = this.#party(request);
    await this.#call(party, async () => this.library.archive(party, is.name(request.peer, 'peer')));
    return {};
  }

  async restart(request) {
    const party = this.#party(request);
    this.#parties.set(party.name, party.restarted());
    return {};
  }
}

const OPERATIONS = ['about', 'new', 'import', 'bundle', 'process', 'encrypt', 'decrypt', 'archive', 'restart'];

async function answer(parties, line) {
  let number = null;
  try {
    if (line.length > LONGEST_LINE) fault(`a line of more than ${LONGEST_LINE} bytes`);
    let request;
    try {
      request = JSON.parse(line);
    } catch {
      fault('not JSON');
    }
    number = request?.id ?? null;
    if (!OPERATIONS.includes(request?.op)) fault(`no operation \`${request?.op}\``);
    return { id: number, ok: wire(await parties[request.op](request)) };
  } catch (error) {
    if (error instanceof Fault) return { id: number, fault: error.message };
    if (error instanceof Refused) return { id: number, refused: error.message };
    throw error;
  }
}

/** Serves parties of one library until the input ends. */
export async function serve(library, input = process.stdin, output = process.stdout) {
  const parties = new Parties(library);
  for await (const line of createInterface({ input, crlfDelay: Infinity })) {
    if (line !== '') output.write(`${JSON.stringify(await answer(parties, line))}\n`);
  }
}
