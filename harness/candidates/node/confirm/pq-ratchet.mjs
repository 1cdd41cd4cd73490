// What does the library do with a truncated or senseless post-quantum ratchet (field 5) in a message that arrives?
// Each case runs in a process of its own, since the library may end it. Run: node confirm/pq-ratchet.mjs
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Party, report } from './party.mjs';

const MAC_BYTES = 8;
const hex = (text) => Buffer.from(text, 'hex');

// Each makes the new value of field 5 of the old one.
const CASES = {
  'as it was made': (old) => old,
  empty: () => hex(''),
  'version 1 alone': () => hex('01'),
  'version 1, epoch 1, index 0': () => hex('010100'),
  'version 1, epoch 0, index 0': () => hex('010000'),
  'version 1, epoch 0, index 0, type 0': () => hex('01000000'),
  'version 1, epoch and index beyond 64 bits': () => hex(`01${'ff'.repeat(22)}`),
  'version 1, epoch 2^63, index 0, type 0': () => hex('0180808080808080808001' + '0000'),
  'version 1, epoch 1, index 1, type 255': () => hex('010101ff'),
  'version 255': () => hex('ff0100'),
  'version 0': () => hex('00'),
  'one byte less': (old) => old.subarray(0, -1),
  'half of it': (old) => old.subarray(0, old.length / 2),
  'epoch 0, the rest as it was': (old) => Buffer.concat([old.subarray(0, 1), hex('00'), old.subarray(2)]),
  'epoch 9, the rest as it was': (old) => Buffer.concat([old.subarray(0, 1), hex('09'), old.subarray(2)]),
  'index 0, the rest as it was': (old) => Buffer.concat([old.subarray(0, 2), hex('00'), old.subarray(3)]),
  'another type, the rest as it was': (old) => Buffer.concat([old.subarray(0, 3), Buffer.from([old[3] ^ 3]), old.subarray(4)]),
  'junk after it': (old) => Buffer.concat([old, hex('0000ff')]),
  'all 0xff': (old) => Buffer.alloc(old.length, 0xff),
};

function varint(bytes, at) {
  let [value, scale] = [0, 1];
  for (;;) {
    const byte = bytes[at];
    at += 1;
    value += (byte & 127) * scale;
    scale *= 128;
    if (byte < 128) return [value, at];
  }
}

function writeVarint(value) {
  const bytes = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) | 128);
  return Buffer.from([...bytes, value]);
}

// Calls `change` with the value of one length-delimited field, and puts its answer there instead.
function withField(bytes, number, change) {
  const parts = [];
  for (let at = 0; at < bytes.length; ) {
    const [tag, value] = varint(bytes, at);
    const [length, inside] = varint(bytes, value);
    const end = (tag & 7) === 2 ? inside + length : inside;
    if (tag === number * 8 + 2) {
      const changed = change(bytes.subarray(inside, end));
      parts.push(bytes.subarray(at, value), writeVarint(changed.length), changed);
    } else {
      parts.push(bytes.subarray(at, end));
    }
    at = end;
  }
  return Buffer.concat(parts);
}

const inMessage = (message, change) =>
  Buffer.concat([message.subarray(0, 1), withField(message.subarray(1, -MAC_BYTES), 5, change), message.subarray(-MAC_BYTES)]);
const inPrekeyMessage = (message, change) =>
  Buffer.concat([message.subarray(0, 1), withField(message.subarray(1), 4, (inner) => inMessage(inner, change))]);

async function run(position, name) {
  const [alice, bob] = [new Party(), new Party()];
  await alice.process(bob.bundle(), bob);
  const first = await alice.encrypt(bob, 'first');
  const what = `  ${name}`;
  if (position === 'first') {
    await report(what, () => bob.decrypt(alice, 'prekey', inPrekeyMessage(first, CASES[name])));
    return report('    and the honest one after it', () => bob.decrypt(alice, 'prekey', first));
  }
  await bob.decrypt(alice, 'prekey', first);
  const reply = await bob.encrypt(alice, 'reply');
  await report(what, () => alice.decrypt(bob, 'normal', inMessage(reply, CASES[name])));
  return report('    and the honest one after it', () => alice.decrypt(bob, 'normal', reply));
}

if (process.argv.length > 2) {
  await run(process.argv[2], process.argv[3]);
} else {
  for (const position of ['first', 'later']) {
    console.log(`In a ${position} message:`);
    for (const name of Object.keys(CASES)) {
      const child = spawnSync(process.execPath, [fileURLToPath(import.meta.url), position, name], { encoding: 'utf8' });
      process.stdout.write(child.stdout);
      if (child.status !== 0) console.log(`  ${name}: the process ended with ${child.status ?? child.signal}: ${child.stderr.trim()}`);
      else if (child.stderr !== '') console.log(`    standard error: ${child.stderr.trim().split('\n').slice(0, 2).join(' / ')}`);
    }
  }
}
