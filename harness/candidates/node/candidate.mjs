#!/usr/bin/env node
// Sample candidate for Countersign on Signal's official binary.
import { main } from './src/command.mjs';
import { stack } from './src/stack.mjs';

await main(stack);
