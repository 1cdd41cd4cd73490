#!/usr/bin/env node
// Parties on the official library 0.103.0, without the harness: ../PARTY.md.
import * as signal from '@signalapp/libsignal-client';
import { serve } from './party/lines.mjs';
import { officialLibrary } from './party/official.mjs';

await serve(officialLibrary(signal, { version: '0.103.0', profiles: ['v4-spqr'], kyber: true, own: true }));
