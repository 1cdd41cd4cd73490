// The official library 0.103.0 alone, for `party.mjs` and `confirm/`.
import * as signal from '@signalapp/libsignal-client';
import { officialLibrary } from './official.mjs';

export const library = officialLibrary(signal, { version: '0.103.0', profiles: ['v4-spqr'], kyber: true, own: true });
