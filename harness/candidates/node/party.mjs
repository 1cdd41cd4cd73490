#!/usr/bin/env node
// Parties on the official library 0.103.0, without the harness: ../PARTY.md.
import { library } from './party/alone.mjs';
import { serve } from './party/lines.mjs';

await serve(library);
