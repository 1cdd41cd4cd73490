// Do messages under PQXDH carry the post-quantum ratchet (field 5)? And does a party with a Kyber prekey read X3DH as well?
// Run: node confirm/pq-ratchet.mjs
import { library } from '../alone.mjs';
import { confirm, confirmFact, inSession, pairOf } from '../../node/confirm/alone.mjs';

const MAC_BYTES = 8;

/** Numbers of the fields of a message without a prekey part: all of them are short, so that tags and varints are read byte by byte. */
function fields(body) {
  const found = [];
  const bytes = body.subarray(1, -MAC_BYTES);
  const varint = (at) => {
    let [value, scale, next] = [0, 1, at];
    for (;;) {
      value += (bytes[next] & 127) * scale;
      scale *= 128;
      if (bytes[next++] < 128) return [value, next];
    }
  };
  for (let at = 0; at < bytes.length; ) {
    const [tag, value] = varint(at);
    const [length, inside] = varint(value);
    found.push(tag >> 3);
    at = (tag & 7) === 2 ? inside + length : inside;
  }
  return found;
}

const [alice, bob] = await inSession(library, 'v4');
const message = await alice.encrypt(bob, 'hello');
confirmFact('first byte of a message', '44', message.body.subarray(0, 1).toString('hex'));
confirmFact('its fields', '1, 2, 3, 4', fields(message.body).join(', '));

const [carol, dave] = await pairOf(library, 'v4');
const { kyber_prekey, ...x3dh } = await dave.bundle();
await carol.process(dave, x3dh);
const first = await carol.encrypt(dave, 'hello');
confirmFact('first byte under a bundle without its Kyber prekey', '34', first.body.subarray(0, 1).toString('hex'));
await confirm('read by a party that has one', 'accepted', () => dave.decrypt(carol, first));
