// What the library does with what the adapter guards against, and in what words it refuses. Run: node confirm/guards.mjs
import { library } from '../alone.mjs';
import { bundles, refusals, weakMessages } from '../../node/confirm/cases.mjs';

const [signature, failed] = ['Generic: invalid signature detected', 'decryption failed'];

for (const profile of ['v3', 'v4']) {
  const kyberZero = profile === 'v4' ? 'accepted' : undefined;
  await bundles(library, profile, { signature, identity: signature, signed: 'accepted', oneTime: 'accepted', registration: 'accepted', kyberZero });
  await weakMessages(library, profile, { base: failed, identity: failed, ratchet: failed });
  await refusals(library, profile, {
    mac: failed,
    reflected: failed,
    version: { '0x23': 'too old <2>', '0x55': 'unrecognized <5>', '0x34': failed, '0x44': failed },
    repeat: 'DuplicatedMessage',
    ahead: [{ by: 2_001, outcome: 'accepted' }],
  });
}
