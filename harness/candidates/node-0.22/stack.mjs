// The official library from before PQXDH, as a candidate's half.
import * as signal from '@signalapp/libsignal-client';
import { official } from '../node/src/official.mjs';

export const stack = {
  name: 'Countersign sample (official 0.22.0)',
  version: '0.1.0',
  build: 'libsignal-client 0.22.0',
  suites: { 'signal-classic': official(signal, { kyber: false, own: false }) },
};
