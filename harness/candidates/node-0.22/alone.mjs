// The official library 0.22.0 alone, for `party.mjs` and `confirm/`.
import * as signal from '@signalapp/libsignal-client';
import { officialLibrary } from '../node/party/official.mjs';

export const library = officialLibrary(signal, { version: '0.22.0', profiles: ['v3'], kyber: false, own: false });
