// What does the library print to standard output when a session is closed? Run: node confirm/prints-keys.mjs
import { inspect } from 'node:util';
import { library } from '../alone.mjs';
import { confirmFact, inSession } from '../../node/confirm/alone.mjs';

const [alice, bob] = await inSession(library, 'v3');
const session = Object.values(JSON.parse(alice.record(`session ${bob.name}.1`).toString())._sessions)[0];
const secrets = { 'root key': session.currentRatchet.rootKey, 'private ratchet key': session.currentRatchet.ephemeralKeyPair.privKey };

let printed = '';
console.info = (...values) => {
  printed += values.map((value) => (typeof value === 'string' ? value : inspect(value, { depth: 6 }))).join(' ');
};
await alice.archive(bob);

const inspected = (base64) => inspect(Buffer.from(base64, 'base64')).slice('<Buffer '.length, -1);
for (const [what, secret] of Object.entries(secrets)) confirmFact(`the ${what} is printed`, true, printed.includes(inspected(secret)));
