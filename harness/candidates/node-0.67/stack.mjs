// The last-but-few official library that speaks both X3DH and PQXDH (without the post-quantum ratchet), as a candidate's half.
import * as signal from '@signalapp/libsignal-client';
import { official } from '../node/src/official.mjs';

// The same library for both: whether a session is X3DH or PQXDH is decided by the bundle, or by the message that arrives.
const library = official(signal, { kyber: true, own: false });

export const stack = {
  name: 'Countersign sample (official 0.67.3)',
  version: '0.1.0',
  build: 'libsignal-client 0.67.3',
  suites: { 'signal-pq': library, 'signal-classic': library },
};
