// What other libraries do with what the adapters guard against. Each folder says what is expected of its library.
import { Side, changed, confirm, confirmFact, inSession, pairOf, replaced } from './alone.mjs';
import { WEAK_EC_KEYS } from './weak-keys.mjs';

const wire = (bytes) => Buffer.from(bytes).toString('base64url');
const flipped = (text) => {
  const bytes = Buffer.from(text, 'base64url');
  bytes[5] ^= 1;
  return wire(bytes);
};
const named = (key) => `${key.subarray(1, 5).toString('hex')}…${key.subarray(-1).toString('hex')}`;

/** Bundles that nobody should take. `expected`: `{ signature, identity, signed, oneTime, registration, kyberZero? }`. */
export async function bundles(library, profile, expected) {
  process.stdout.write(`In a bundle (${profile}):\n`);
  const take = (what, outcome, bend, oneTime = false) => confirm(`  ${what}`, outcome, async () => {
    const [alice, bob] = await pairOf(library, profile);
    const bundle = await bob.bundle({}, oneTime);
    await alice.process(bob, { ...bundle, ...bend(bundle, bob) });
  });
  await take('as it was made', 'accepted', () => ({}));
  await take('signature of the signed prekey flipped', expected.signature, (b) => ({ signed_prekey: { ...b.signed_prekey, signature: flipped(b.signed_prekey.signature) } }));
  for (const key of WEAK_EC_KEYS) {
    await take(`identity key ${named(key)}`, expected.identity, () => ({ identity_key: wire(key) }));
    await take(`signed prekey ${named(key)}, signed`, expected.signed, (b, bob) => ({ signed_prekey: { ...b.signed_prekey, key: wire(key), signature: bob.sign(key) } }));
    await take(`one-time prekey ${named(key)}`, expected.oneTime, (b) => ({ one_time_prekey: { ...b.one_time_prekey, key: wire(key) } }), true);
  }
  for (const registration_id of [0, 16381, 2 ** 32 - 1]) await take(`registration id ${registration_id}`, expected.registration, () => ({ registration_id }));
  if (expected.kyberZero === undefined) return;
  const zero = Buffer.concat([Buffer.from([8]), Buffer.alloc(1568)]);
  await take('Kyber prekey all zero, signed', expected.kyberZero, (b, bob) => ({ kyber_prekey: { ...b.kyber_prekey, key: wire(zero), signature: bob.sign(zero) } }));
  await take('signature of the Kyber prekey flipped', expected.signature, (b) => ({ kyber_prekey: { ...b.kyber_prekey, signature: flipped(b.kyber_prekey.signature) } }));
}

/** First messages with a weak key in place of the right one. `expected`: `{ base, identity, ratchet }`. */
export async function weakMessages(library, profile, expected) {
  process.stdout.write(`In a first message that arrives, in place of the right key (${profile}):\n`);
  for (const [name, tag, outcome] of [['base key', [0x12, 33], expected.base], ['identity key', [0x1a, 33], expected.identity], ['ratchet key', [0x0a, 33], expected.ratchet]]) {
    for (const weak of WEAK_EC_KEYS) {
      await confirm(`  ${name} ${named(weak)}`, outcome, async () => {
        const [alice, bob] = await pairOf(library, profile);
        await alice.process(bob);
        return bob.decrypt(alice, replaced(await alice.encrypt(bob, 'hello'), tag, weak));
      });
    }
  }
}

/** What is said for which fault; the ground of the adapters' reasons. */
export async function refusals(library, profile, expected) {
  process.stdout.write(`Messages (${profile}):\n`);
  const [alice, bob] = await inSession(library, profile);
  const message = await alice.encrypt(bob, 'one');
  await confirm('  MAC flipped', expected.mac, () => bob.decrypt(alice, changed(message, (body) => void (body[body.length - 1] ^= 1))));
  await confirm('  our own, reflected', expected.reflected, () => alice.decrypt(bob, message));
  for (const [name, byte] of [['0x23', 0x23], ['0x55', 0x55], ['0x34', 0x34], ['0x44', 0x44]]) {
    if (byte !== message.body[0]) await confirm(`  version byte ${name}`, expected.version[name], () => bob.decrypt(alice, changed(message, (body) => void (body[0] = byte))));
  }
  await confirm('  as it was made', 'accepted', () => bob.decrypt(alice, message));
  await confirm('  the same again', expected.repeat, () => bob.decrypt(alice, message));
  for (const ahead of expected.ahead) {
    let far;
    for (let i = 0; i < ahead.by; i += 1) far = await alice.encrypt(bob, 'far');
    await confirm(`  ${ahead.by} after the last one that was read`, ahead.outcome, () => bob.decrypt(alice, far));
  }
}

/** Another identity key on the outside of a prekey message, in a session that exists. `expected`: `{ message, saved }`. */
export async function outerIdentity(library, profile, expected) {
  process.stdout.write(`In a session that exists (${profile}):\n`);
  const [alice, bob] = await pairOf(library, profile);
  const other = await Side.of(library, profile);
  await alice.process(bob);
  await bob.decrypt(alice, await alice.encrypt(bob, 'first'));
  const message = await alice.encrypt(bob, 'second');
  const bent = replaced(message, [0x1a, 33], Buffer.from(other.published.identity_key, 'base64url'));
  await confirm('  another valid key in place of the identity key outside', expected.message, () => bob.decrypt(alice, bent));
  if (expected.saved === undefined) return;
  const saved = bob.record(`identity ${alice.name}`).toString('base64url');
  confirmFact('  the identity key in the store is', expected.saved, saved === alice.published.identity_key ? 'the right one' : 'another one');
}

/** Messages that come late, by how many chains of the sender began after theirs. `expected`: the outcome for each number. */
export async function lateMessages(library, profile, expected) {
  process.stdout.write(`Messages that come after later chains were begun (${profile}):\n`);
  for (const [later, outcome] of Object.entries(expected)) {
    const [alice, bob] = await inSession(library, profile);
    const late = await alice.encrypt(bob, 'late');
    await bob.decrypt(alice, await alice.encrypt(bob, 'in the same chain'));
    for (let i = 0; i < later; i += 1) {
      await alice.decrypt(bob, await bob.encrypt(alice, 'there'));
      await bob.decrypt(alice, await alice.encrypt(bob, 'and back'));
    }
    await confirm(`  ${later} later chains`, outcome, () => bob.decrypt(alice, late));
  }
}
