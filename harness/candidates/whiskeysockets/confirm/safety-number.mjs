// Has the library a safety number that can be used? Run: node confirm/safety-number.mjs
import { createRequire } from 'node:module';
import signal from 'libsignal';
import { confirm, confirmFact } from '../../node/confirm/alone.mjs';

confirmFact('names that it exports about safety numbers', 0, Object.keys(signal).filter((name) => /finger|safety/i.test(name)).length);

// By its path inside the package, with keys in the one form that it takes.
const { FingerprintGenerator } = createRequire(import.meta.url)('libsignal/src/numeric_fingerprint.js');
const key = new Uint8Array(signal.curve.generateKeyPair().pubKey).buffer;
await confirm('called by its path', 'must be an instance of Buffer', () => new FingerprintGenerator(5200).createFor('alice', key, 'bob', key));
