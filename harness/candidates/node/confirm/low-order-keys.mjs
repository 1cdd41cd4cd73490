// What does the library do with low-order, all-zero and otherwise odd keys, in a bundle and in a message that arrives?
// Run: node confirm/low-order-keys.mjs
import { KEMPublicKey, PublicKey } from '@signalapp/libsignal-client';
import { Party, report } from './party.mjs';
import { WEAK_EC_KEYS } from './weak-keys.mjs';

const kyber = (fill) => KEMPublicKey.deserialize(Buffer.concat([Buffer.from([8]), Buffer.alloc(1568, fill)]));
const bundleWith = (parts) => async () => {
  const [alice, bob] = [new Party(), new Party()];
  await alice.process(bob.bundle(parts), bob);
};

console.log('In a bundle, signed properly where there is a signature:');
for (const key of WEAK_EC_KEYS) {
  const weak = PublicKey.deserialize(key);
  const name = `${key.subarray(1, 5).toString('hex')}…${key.subarray(-1).toString('hex')}`;
  for (const position of ['signed', 'oneTime', 'identity']) await report(`  ${position} ${name}`, bundleWith({ [position]: weak }));
}
await report('  Kyber key, all zero', bundleWith({ kyber: kyber(0) }));
await report('  Kyber key, all 0xff (coefficients out of range)', bundleWith({ kyber: kyber(0xff) }));
for (const registrationId of [0, 16380, 16381, 2 ** 32 - 1]) await report(`  registration id ${registrationId}`, bundleWith({ registrationId }));

console.log('In a first message that arrives, in place of the right key:');
for (const [name, field] of [['base key', 0x12], ['identity key', 0x1a], ['ratchet key', 0x0a]]) {
  for (const weak of WEAK_EC_KEYS) {
    const [alice, bob] = [new Party(), new Party()];
    await alice.process(bob.bundle(), bob);
    const message = await alice.encrypt(bob, 'hello');
    const at = message.indexOf(Buffer.from([field, 33, 5]));
    weak.copy(message, at + 2);
    await report(`  ${name} ${weak.subarray(1, 5).toString('hex')}…`, () => bob.decrypt(alice, 'prekey', message));
  }
}
