// What the library does with what the adapter guards against, and in what words it refuses; as the other samples' scripts of that name.
// Run: node confirm/guards.mjs
import { library } from '../party/alone.mjs';
import { bundles, outerIdentity, refusals, weakMessages } from './cases.mjs';

const [signature, failed, agreement] = ['Generic: invalid signature detected', 'decryption failed', 'Generic: invalid key agreement'];

await bundles(library, 'v4-spqr', { signature, identity: signature, signed: agreement, oneTime: agreement, registration: 'accepted', kyberZero: 'accepted' });
await weakMessages(library, 'v4-spqr', { base: 'incoming base key is invalid', identity: agreement, ratchet: failed });
await refusals(library, 'v4-spqr', {
  mac: failed,
  reflected: failed,
  version: { '0x23': 'too old <2>', '0x55': 'unrecognized <5>', '0x34': failed },
  repeat: 'DuplicatedMessage',
  ahead: [{ by: 2_001, outcome: 'accepted' }],
});
await outerIdentity(library, 'v4-spqr', { message: 'not consistent with previously-established session', saved: 'the right one' });
