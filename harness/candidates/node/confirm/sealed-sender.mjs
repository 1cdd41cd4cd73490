// Stored vectors of sealed messages, given to the official binary directly: what it has to open it opens, under the name that is
// certified, and what is wrong with certificates, seals and messages it refuses by itself.
import { readFileSync } from 'node:fs';
import * as signal from '@signalapp/libsignal-client';
import { Receiver } from './receiver.mjs';

const PATH = new URL('../../../../vectors/sealed-sender/pq.json', import.meta.url);

/** Vectors that are wrong by the contract's rules alone: the binary does not compare the certified key with that of the session. */
export const BY_THE_RULES = ['other-key'];

/** Every message of every vector: vector, sender, what is expected, and what came of it. */
export async function* opened() {
  for (const group of JSON.parse(readFileSync(PATH, 'utf8')).groups) {
    for (const vector of group.tests) {
      const receiver = new Receiver(group.receiver, group.keys, group['trust-root']);
      for (const message of vector.messages) {
        const sender = group.peers[message.from].user;
        const outcome = await receiver.open(signal.ProtocolAddress.new(sender, 1), message).catch((error) => ({ error }));
        yield { id: vector.about.id, sender, message, ...outcome };
      }
    }
  }
}
