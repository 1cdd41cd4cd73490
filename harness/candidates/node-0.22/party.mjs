#!/usr/bin/env node
// Parties on the official library 0.22.0, without the harness: ../PARTY.md.
import * as signal from '@signalapp/libsignal-client';
import { serve } from '../node/party/lines.mjs';
import { officialLibrary } from '../node/party/official.mjs';

await serve(officialLibrary(signal, { version: '0.22.0', profiles: ['v3'], kyber: false, own: false }));
