// What the library does with what the adapter guards against. Run: node confirm/guards.mjs
import { library } from '../alone.mjs';
import { bundles, refusals, weakMessages } from '../../node/confirm/cases.mjs';

await bundles(library, 'v3', { signature: 'x', identity: 'x', signed: 'x', oneTime: 'x', registration: 'x', kyberZero: 'x' });
await weakMessages(library, 'v3', { base: 'x', identity: 'x', ratchet: 'x' });
await refusals(library, 'v3', { mac: 'x', reflected: 'x', version: {}, repeat: 'x', ahead: [{ by: 2001, outcome: 'x' }] });
