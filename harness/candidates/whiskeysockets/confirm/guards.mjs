// What the library does with what the adapter guards against, and in what words it refuses. Run: node confirm/guards.mjs
import { library } from '../alone.mjs';
import { bundles, refusals, weakMessages } from '../../node/confirm/cases.mjs';

// Low order is refused by Node's X25519, which the library calls.
const zero = 'failed during derivation';
const version = 'Incompatible version number';

await bundles(library, 'v3', { signature: 'accepted', identity: zero, signed: zero, oneTime: zero, registration: 'accepted' });
await weakMessages(library, 'v3', { base: zero, identity: zero, ratchet: zero });
await refusals(library, 'v3', {
  mac: 'Bad MAC',
  reflected: 'Tried to decrypt on a sending chain',
  version: { '0x23': version, '0x55': version, '0x34': version, '0x44': version },
  repeat: 'MessageCounterError',
  ahead: [{ by: 2_000, outcome: 'accepted' }, { by: 2_001, outcome: 'Over 2000 messages into the future' }],
});
