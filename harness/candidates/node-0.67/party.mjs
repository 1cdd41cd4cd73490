#!/usr/bin/env node
// Parties on the official library 0.67.3, without the harness: ../PARTY.md.
import * as signal from '@signalapp/libsignal-client';
import { serve } from '../node/party/lines.mjs';
import { officialLibrary } from '../node/party/official.mjs';

await serve(officialLibrary(signal, { version: '0.67.3', profiles: ['v3', 'v4'], kyber: true, own: false }));
