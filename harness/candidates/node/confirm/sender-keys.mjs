// Stored vectors of sender keys, given to the official binary directly: what it has to read it reads, and what is wrong with keys,
// signatures and ciphertexts it refuses by itself. Who is a member of which group is not its to know.
import { readFileSync } from 'node:fs';
import * as signal from '@signalapp/libsignal-client';
import { Receiver } from './receiver.mjs';

const PATH = new URL('../../../../vectors/sender-keys/pq.json', import.meta.url);

/** Vectors that are wrong by the rules for groups alone. */
export const BY_THE_RULES = [
  'as-pairwise',
  'ciphertext-flipped',
  'key-in-group',
  'key-of-other-group',
  // The binary takes a signature key of low order.
  'key-signing-key-low-order',
  'later-list',
  'list-digest-cut',
  'moved',
  'no-group-inside',
  'not-padded',
  'other-group-inside',
  'other-list',
  'pairwise-in-group',
  'removed-sender',
  'stale-list',
  'stranger',
  'typing',
  'unknown-group',
];

/** Every message of every vector: vector, what is expected, and what came of it. */
export async function* received() {
  for (const group of JSON.parse(readFileSync(PATH, 'utf8')).groups) {
    for (const vector of group.tests) {
      const receiver = new Receiver(group.receiver, group.keys);
      for (const message of vector.messages) {
        const from = signal.ProtocolAddress.new(group.peers[message.from].user, 1);
        const outcome = await receiver.receive(from, message).then(
          (text) => ({ text }),
          (error) => ({ error }),
        );
        yield { id: vector.about.id, message, ...outcome };
      }
    }
  }
}
