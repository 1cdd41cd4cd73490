// What others wrote, but for the library. Samples on other libraries share this folder, and each is set up by one `npm ci` of its own:
// so packages are those beside the program that runs.
import { createRequire } from 'node:module';

const require = createRequire(process.argv[1] ?? import.meta.url);

export const WebSocket = require('ws');
export const protobuf = require('protobufjs');
