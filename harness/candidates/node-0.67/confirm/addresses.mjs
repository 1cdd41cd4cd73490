// Does the library compare the users that a message names inside (field 6, which later versions write and compare) with those that it is
// between? Such a message is sealed here with the key from the sender's session record. Run: node confirm/addresses.mjs
import { createHmac, hkdfSync } from 'node:crypto';
import protobuf from 'protobufjs';
import { library } from '../alone.mjs';
import { confirm, inSession } from '../../node/confirm/alone.mjs';

const MAC_BYTES = 8;
const MAC_KEY = [32, 64];
const OKM_BYTES = 80;
// Of the record of a session: the current session, its sending chain, the chain key, and the key itself.
const PATH = [1, 6, 3, 2];

/** The last value of a length-delimited field. */
function field(bytes, number) {
  const reader = new protobuf.Reader(bytes);
  let found;
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag === number * 8 + 2) found = Buffer.from(reader.bytes());
    else reader.skipType(tag & 7);
  }
  return found;
}

const hmac = (key, ...parts) => parts.reduce((mac, part) => mac.update(part), createHmac('sha256', key)).digest();
const identity = (side) => Buffer.from(side.published.identity_key, 'base64url');

const [alice, bob] = await inSession(library, 'v4');
for (const named of [undefined, Buffer.alloc(36, 7)]) {
  const chainKey = PATH.reduce(field, alice.record(`session ${bob.name}`));
  const okm = Buffer.from(hkdfSync('sha256', hmac(chainKey, Buffer.from([1])), Buffer.alloc(32), 'WhisperMessageKeys', OKM_BYTES));
  const { type, body } = await alice.encrypt(bob, 'hello');
  const inner = [body.subarray(0, -MAC_BYTES)];
  if (named !== undefined) inner.push(Buffer.from([6 * 8 + 2, named.length]), named);
  const mac = hmac(okm.subarray(...MAC_KEY), identity(alice), identity(bob), ...inner).subarray(0, MAC_BYTES);
  const what = named === undefined ? 'sealed again as it was' : 'sealed with the names of other users inside';
  await confirm(what, 'accepted', () => bob.decrypt(alice, { type, body: Buffer.concat([...inner, mac]) }));
}
