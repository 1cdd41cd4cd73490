// The official library 0.67.3 alone, for `party.mjs` and `confirm/`.
import * as signal from '@signalapp/libsignal-client';
import { officialLibrary } from '../node/party/official.mjs';

export const library = officialLibrary(signal, { version: '0.67.3', profiles: ['v3', 'v4'], kyber: true, own: false });
