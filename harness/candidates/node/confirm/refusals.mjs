// Which error code does the library give for which fault, and which store does it change on the way?
// Run: node confirm/refusals.mjs
import { PreKeyRecord } from '@signalapp/libsignal-client';
import { Party, report } from './party.mjs';

const flipped = (bytes, fromEnd) => {
  const copy = Buffer.from(bytes);
  copy[copy.length - fromEnd] ^= 1;
  return copy;
};

const [alice, bob, carol] = [new Party(), new Party(), new Party()];
await alice.process(bob.bundle(), bob);
const first = await alice.encrypt(bob, 'first');
const second = await alice.encrypt(bob, 'second');

console.log('First messages:');
await report('  read by somebody else with the same prekey ids', () => carol.decrypt(alice, 'prekey', first));
await report('  version 3 (X3DH)', () => bob.decrypt(alice, 'prekey', Buffer.concat([Buffer.from([0x34]), first.subarray(1)])));
await report('  version 5', () => bob.decrypt(alice, 'prekey', Buffer.concat([Buffer.from([0x55]), first.subarray(1)])));
await report('  Kyber ciphertext flipped', () => bob.decrypt(alice, 'prekey', flipped(first, 1)));
bob.prekeyMap.clear();
await report('  one-time prekey not there', () => bob.decrypt(alice, 'prekey', first));
bob.prekeyMap = new Party().prekeyMap;
await report('  one-time prekey of another user under the same id', () => bob.decrypt(alice, 'prekey', first));
bob.prekeyMap = new Map();
bob.prekeyMap.set(1, PreKeyRecord.new(1, bob.ec.getPublicKey(), bob.ec));
console.log(`  stores changed by the refusals: ${bob.calls.join(', ') || 'none'}`);
await report('  as it was made', () => bob.decrypt(alice, 'prekey', first));
console.log(`  stores changed: ${bob.calls.join(', ')}`);
await report('  the same again', () => bob.decrypt(alice, 'prekey', first));
await report('  a second one in the session, its Kyber ciphertext flipped', () => bob.decrypt(alice, 'prekey', flipped(second, 1)));
bob.sessions.map.clear();
await report('  the first again, the session lost and the one-time prekey kept', () => bob.decrypt(alice, 'prekey', first));

console.log('Later messages:');
const reply = await bob.encrypt(alice, 'reply');
await report('  no session', () => carol.decrypt(bob, 'normal', reply));
await report('  our own, reflected', () => bob.decrypt(alice, 'normal', reply));
await report('  MAC flipped', () => alice.decrypt(bob, 'normal', flipped(reply, 1)));
await report('  as it was made', () => alice.decrypt(bob, 'normal', reply));
await report('  the same again', () => alice.decrypt(bob, 'normal', reply));
let far;
for (let i = 0; i <= 25_001; i += 1) far = await bob.encrypt(alice, 'far');
await report('  25,002 ahead', () => alice.decrypt(bob, 'normal', far));
await report('  junk', () => alice.decrypt(bob, 'normal', Buffer.from('hello hello hello')));
