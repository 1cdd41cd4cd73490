#!/usr/bin/env node
// Parties on the official library 0.67.3, without the harness: ../PARTY.md.
import { library } from './alone.mjs';
import { serve } from '../node/party/lines.mjs';

await serve(library);
