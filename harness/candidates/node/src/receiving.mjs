// What arrives on a user's chat channel: processed one after another, answered, and then acknowledged.
import { randomUUID } from 'node:crypto';
import * as content from './content.mjs';
import * as media from './media.mjs';
import * as shape from './shape.mjs';
import { copied } from './copied.mjs';
import { Problem, problemOf } from './reasons.mjs';
import { defect } from './defects.mjs';
import { isAnswered } from './talk.mjs';

const MOST_RETRIES = 5;
const SETTLE_WITHIN_MS = 28_000;

// Refusals after which the message is asked for again: no session, no key, or a MAC that does not match.
const ASKED_AGAIN = new Set(['no-session', 'unknown-prekey', 'bad-mac']);

const message = shape.object({ type: shape.oneOf('prekey', 'normal'), from: shape.uuid, body: shape.bytes });
const receipt = shape.object({ type: shape.oneOf('delivered', 'retry'), from: shape.uuid, of: shape.uuid, count: shape.optional(shape.u32) });

export class Receiving {
  #queue = Promise.resolve();
  #open = 0;
  #generation = 0;
  #processed = new Set();
  // Processed, but the channel was gone before that could be said.
  #unacknowledged = new Set();
  // Stanzas that were decrypted, with what was shown of them.
  #read = new Map();
  // Sender and message id of what was shown: a resend travels under another stanza id.
  #shown = new Set();
  #retries = new Map();
  #followUps = new Set();
  #settling = new Set();

  constructor(user) {
    this.user = user;
  }

  /** Takes a stanza as it is delivered. */
  deliver(stanza) {
    const generation = this.#generation;
    this.#open += 1;
    this.#queue = this.#queue.then(async () => {
      // What was not begun before the user went offline is delivered again later.
      if (generation === this.#generation) await this.#processAndAcknowledge(stanza);
      this.#open -= 1;
      this.#look();
    });
  }

  /** Runs `action` when what was delivered until now is processed, and before anything else is. */
  between(action) {
    const result = this.#queue.then(action);
    this.#queue = result.catch(() => {});
    return result;
  }

  kept() {
    return copied({
      processed: this.#processed,
      unacknowledged: this.#unacknowledged,
      read: this.#read,
      shown: this.#shown,
      retries: this.#retries,
    });
  }

  /** Puts back what was `kept`. */
  put(kept) {
    const { processed, unacknowledged, read, shown, retries } = copied(kept);
    this.#processed = processed;
    this.#unacknowledged = unacknowledged;
    this.#read = read;
    this.#shown = shown;
    this.#retries = retries;
  }

  /** The user went offline. */
  stop() {
    this.#generation += 1;
    this.#look();
  }

  /** Registers what followed from a stanza: `settle` waits for it. */
  follow(promise) {
    const entry = promise
      .catch((error) => console.error(`what followed from a stanza failed: ${error.reason ?? error.name}: ${error.message}`))
      .then(() => {
        this.#followUps.delete(entry);
        this.#look();
      });
    this.#followUps.add(entry);
  }

  /** Waits until this stanza is processed, and whatever else has arrived, and the gateway has accepted what followed. */
  settle(through) {
    return new Promise((resolve, reject) => {
      const end = (how, value) => {
        clearTimeout(timer);
        this.#settling.delete(look);
        how(value);
      };
      const look = () => {
        if (!this.user.chat.online) end(reject, new Problem('not-connected', 'the user is offline'));
        else if (this.#processed.has(through) && this.#open === 0 && this.#followUps.size === 0) end(resolve);
      };
      const late = () => end(reject, new Problem('timeout', `${through} or what followed from it is not done`));
      const timer = setTimeout(late, SETTLE_WITHIN_MS);
      this.#settling.add(look);
      look();
    });
  }

  #look() {
    for (const look of [...this.#settling]) look();
  }

  async #processAndAcknowledge(stanza) {
    const { id } = stanza;
    if (!this.#unacknowledged.has(id)) {
      try {
        await this.#process(stanza);
      } catch (error) {
        this.user.events.refused(id, problemOf(error).reason);
      }
    }
    this.#processed.add(id);
    if (this.user.chat.acknowledge(id)) this.#unacknowledged.delete(id);
    else this.#unacknowledged.add(id);
  }

  async #process({ kind, id, ...members }) {
    switch (kind) {
      case 'message':
        return this.#message(id, message(members, 'message'));
      case 'receipt':
        return this.#receipt(receipt(members, 'receipt'));
      case 'keys-low':
        return this.user.refill();
      default:
        throw new Problem(members.reason ?? 'malformed', 'not a stanza of this version');
    }
  }

  async #message(id, { type, from, body }) {
    if (this.#read.has(id)) return this.#repeated(id);
    const { talk } = this.user;
    // Whether it could be read does not matter, and nobody is told.
    const blocked = () => new Problem('blocked', 'a message of a blocked user');
    if (talk.hasBlocked(from) && !defect('shows-blocked')) throw blocked();
    let plaintext;
    try {
      plaintext = await this.user.sessions.alone(() => this.user.sessions.decrypt(from, type, body));
    } catch (error) {
      if (talk.hasBlocked(from)) throw blocked();
      this.#askAgain(id, from, problemOf(error));
      throw error;
    }
    this.#read.set(id, null);
    const read = content.read(plaintext);
    const key = `${from} ${read.messageId}`;
    if (this.#shown.has(key) && !defect('shows-every-resend')) throw new Problem('duplicate', 'this message was shown before');
    const shown = read.content ?? (await this.#file(read.attachment));
    try {
      talk.receive(from, read.messageId, shown);
    } catch (error) {
      if (defect('receipt-before-examination')) this.#answer({ type: 'delivered', to: from, of: id });
      throw error;
    }
    this.#shown.add(key);
    if (shown.kind === 'reaction' && defect('ignores-reaction-removal')) shown.remove = false;
    this.#read.set(id, this.user.events.message(read.messageId, from, shown));
    if (isAnswered(shown)) this.#answer({ type: 'delivered', to: from, of: id });
  }

  #repeated(id) {
    const shown = this.#read.get(id);
    if (shown === null || !defect('shows-repeated-stanza')) throw new Problem('duplicate', 'this stanza was delivered before');
    this.user.events.again(shown);
  }

  #askAgain(id, from, { reason }) {
    if (!ASKED_AGAIN.has(reason)) return;
    const count = (this.#retries.get(id) ?? 0) + 1;
    if (count > MOST_RETRIES && !defect('asks-without-end')) return;
    this.#retries.set(id, count);
    if (count === 1) this.user.events.notice('undecryptable', from);
    this.#answer({ type: 'retry', to: from, of: id, count });
  }

  #answer(members) {
    this.follow(this.user.chat.submit({ kind: 'receipt', id: randomUUID(), ...members }, true));
  }

  async #file(attachment) {
    media.checkAttachment(attachment);
    const blob = await this.user.download('media', attachment.url);
    const { sha256, length } = media.open(blob, attachment);
    const file = { sha256: sha256.toString('base64url'), length };
    return { kind: 'media', media: attachment.media, mime: attachment.mime, name: attachment.name, file };
  }

  async #receipt({ type, from, of }) {
    if (this.user.talk.hasBlocked(from)) return;
    const sent = this.user.sent.find(of, from);
    // About a message that this user did not send to that peer: nothing to show, and nothing to send.
    if (sent === undefined) return;
    if (type === 'retry') {
      await this.user.resend(sent);
    } else if (!sent.delivered) {
      sent.delivered = true;
      this.user.events.receipt(from, sent.message);
    }
  }
}
