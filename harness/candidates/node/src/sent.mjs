// What a user sent, kept so that it can be sent again when a receiver could not read it.
import { copied } from './copied.mjs';
import { defect } from './defects.mjs';

const MOST_RESENDS = 5;
const MOST_KEPT = 4096;

export class Sent {
  #messages = new Map();
  #byStanza = new Map();

  kept() {
    return copied({ messages: this.#messages, byStanza: this.#byStanza });
  }

  /** Puts back what was `kept`. */
  put(kept) {
    const { messages, byStanza } = copied(kept);
    this.#messages = messages;
    this.#byStanza = byStanza;
  }

  /** Remembers a message before it goes out. The first stanza's id is the message's id. */
  add(message, to, plaintext) {
    this.#messages.set(message, { message, to, plaintext, resends: 0, delivered: false, stanzas: [message] });
    this.#byStanza.set(message, message);
    if (this.#messages.size > MOST_KEPT) this.forget(this.#messages.keys().next().value);
  }

  forget(message) {
    for (const stanza of this.#messages.get(message)?.stanzas ?? []) this.#byStanza.delete(stanza);
    this.#messages.delete(message);
  }

  /** The message that travelled under this stanza to this peer, or `undefined`. */
  find(stanza, peer) {
    const found = this.#messages.get(this.#byStanza.get(stanza));
    return found?.to === peer ? found : undefined;
  }

  byMessage(message) {
    return this.#messages.get(message);
  }

  /** Whether it may be sent once more; counts. */
  mayResend(message) {
    if (message.resends >= MOST_RESENDS && !defect('resends-without-end')) return false;
    message.resends += 1;
    return true;
  }

  resentUnder(message, stanza) {
    message.stanzas.push(stanza);
    this.#byStanza.set(stanza, message.message);
  }
}
