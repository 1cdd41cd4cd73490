// In a session that exists: does the library notice that the identity key on the outside of a further prekey message was changed?
// Run: node confirm/outer-identity.mjs
import { PrivateKey } from '@signalapp/libsignal-client';
import { Party, report } from './party.mjs';

const IDENTITY_KEY = Buffer.from([0x1a, 33, 5]);

const [alice, bob] = [new Party(), new Party()];
await alice.process(bob.bundle(), bob);
const [first, second, third] = [await alice.encrypt(bob, 'first'), await alice.encrypt(bob, 'second'), await alice.encrypt(bob, 'third')];
await report('the first, as it was made', () => bob.decrypt(alice, 'prekey', first));

const other = PrivateKey.generate().getPublicKey();
const changed = Buffer.from(second);
Buffer.from(other.serialize()).copy(changed, changed.indexOf(IDENTITY_KEY) + 2);
await report('the second, another valid key in place of the identity key', () => bob.decrypt(alice, 'prekey', changed));

const saved = bob.identity.map.get(alice.address.toString());
console.log(`the identity key in the store is ${saved.equals(alice.identity.key.getPublicKey()) ? 'the right one' : 'another one'}`);
await report('the third, as it was made', () => bob.decrypt(alice, 'prekey', third));
