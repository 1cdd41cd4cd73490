// The library of this folder, in the form that the rest of the candidate takes it.
import * as signal from '@signalapp/libsignal-client';
import { official } from './official.mjs';

export const stack = {
  name: 'Countersign sample (Node)',
  version: '0.1.0',
  build: 'libsignal-client 0.103.0',
  suites: { 'signal-pq': official(signal, { kyber: true, own: true }) },
};
