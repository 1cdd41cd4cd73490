// Each defect does what its line says, and the honest candidate does not: the same test runs twice.
import assert from 'node:assert/strict';
import test from 'node:test';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { DEFECTS, selectDefect } from '../src/defects.mjs';
import * as content from '../src/content.mjs';
import * as media from '../src/media.mjs';
import { Cast, reasonOf } from './cast.mjs';

/** For each defect, a check that answers whether it shows. */
const shows = {
  'keeps-used-one-time-prekey': async (cast) => {
    const carol = await cast.join();
    let first;
    cast.gateway.bundle = (bundle) => (first ??= bundle);
    await cast.settle(cast.bob, await cast.send(cast.alice, cast.bob, 'one'));
    await cast.settle(cast.bob, await cast.send(carol, cast.bob, 'two'));
    return (await cast.texts(cast.bob)).length === 2;
  },
  'no-padding': async () => content.pad(Buffer.from('short')).length === 5,
  'reuses-media-key': async () => {
    const keys = new media.MediaKeys();
    return keys.next().equals(keys.next());
  },
  'skips-media-mac': async () => {
    const key = randomBytes(32);
    const { blob } = media.seal(Buffer.from('picture'), 'image', key);
    blob[blob.length - 1] ^= 1;
    const digest = createHash('sha256').update(blob).digest();
    return (await reasonOf((async () => media.open(blob, { media: 'image', key, digest, length: 7 }))())) === 'no failure';
  },
  'silent-identity-change': async (cast) => {
    await cast.settle(cast.bob, await cast.send(cast.alice, cast.bob, 'one'));
    await cast.join(cast.bob);
    await cast.settle(cast.alice, await cast.send(cast.bob, cast.alice, 'two'));
    const sent = await reasonOf(cast.send(cast.alice, cast.bob, 'three'));
    return sent === 'no failure' && (await cast.notices(cast.alice)).length === 0;
  },
  'shows-repeated-stanza': async (cast) => {
    cast.gateway.disturb = (stanza) => (stanza.kind === 'message' ? [stanza, stanza] : [stanza]);
    await cast.settle(cast.bob, await cast.send(cast.alice, cast.bob, 'one'));
    cast.gateway.disturb = (stanza) => [stanza];
    await cast.settle(cast.bob, await cast.send(cast.alice, cast.bob, 'two'));
    return (await cast.texts(cast.bob)).length === 3;
  },
  'plaintext-in-header': async (cast) => {
    await cast.send(cast.alice, cast.bob, 'secret');
    return cast.gateway.sent.some(({ kind, preview }) => kind === 'message' && preview === 'secret');
  },
  'never-refills': async (cast) => {
    for (let i = 0; i < 5; i += 1) await cast.call('fetch_keys', cast.alice, { of: cast.bob });
    const id = randomUUID();
    cast.gateway.deliver(cast.bob, { kind: 'keys-low', id, one_time_prekeys: 0, one_time_kyber_prekeys: 0 });
    await cast.settle(cast.bob, id);
    return cast.gateway.users.get(cast.bob).keys.one_time_prekeys.length === 0;
  },
};

test('every defect has a check', () => assert.deepEqual(Object.keys(shows), Object.keys(DEFECTS)));

for (const [defect, check] of Object.entries(shows)) {
  test(`${defect} shows when it is on, and only then`, async (t) => {
    assert.equal(await check(await Cast.with(t)), false);
    assert.equal(await check(await Cast.with(t, { defect })), true);
  });
}

test('an unknown defect is refused', () => assert.throws(() => selectDefect('made-up'), RangeError));
