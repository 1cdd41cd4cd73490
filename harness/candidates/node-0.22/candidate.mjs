#!/usr/bin/env node
// Sample candidate for Countersign on Signal's official binary 0.22.0.
import { main } from '../node/src/command.mjs';
import { stack } from './stack.mjs';

await main(stack);
