#!/usr/bin/env node
// Sample candidate for Countersign on WhiskeySockets' libsignal.
import { main } from '../node/src/command.mjs';
import { stack } from './stack.mjs';

await main(stack);
