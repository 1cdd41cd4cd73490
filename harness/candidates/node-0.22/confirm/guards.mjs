// What the library does with what the adapter guards against, and in what words it refuses. Run: node confirm/guards.mjs
import { library } from '../alone.mjs';
import { bundles, refusals, weakMessages } from '../../node/confirm/cases.mjs';

const [signature, failed] = ['Generic: invalid signature detected', 'decryption failed'];

await bundles(library, 'v3', { signature, identity: signature, signed: 'accepted', oneTime: 'accepted', registration: 'accepted' });
await weakMessages(library, 'v3', { base: failed, identity: failed, ratchet: failed });
await refusals(library, 'v3', {
  mac: failed,
  reflected: failed,
  version: { '0x23': 'too old <2>', '0x55': 'unrecognized <5>', '0x34': failed, '0x44': 'unrecognized <4>' },
  repeat: 'DuplicatedMessage',
  ahead: [{ by: 2_001, outcome: 'accepted' }, { by: 25_001, outcome: 'accepted' }, { by: 25_002, outcome: failed }],
});
