#!/usr/bin/env node
// Parties on WhiskeySockets' library 6.0.0, without the harness: ../PARTY.md.
import { library } from './alone.mjs';
import { serve } from '../node/party/lines.mjs';

await serve(library);
