// One user of an instance: keys, sessions, the chat channel, and what the user does and sees.
import { randomUUID } from 'node:crypto';
import { Chat } from './chat.mjs';
import { Events } from './events.mjs';
import { OwnKeys } from './keys.mjs';
import { Receiving } from './receiving.mjs';
import { Sent } from './sent.mjs';
import { Sessions } from './sessions.mjs';
import { Stores } from './stores.mjs';
import { Talk, isAnswered } from './talk.mjs';
import { copied } from './copied.mjs';
import { Copy, exported } from './state.mjs';
import { Problem } from './reasons.mjs';
import { defect } from './defects.mjs';
import * as content from './content.mjs';
import * as media from './media.mjs';

export class User {
  #token;
  // Ids of messages that a peer asked for again, and that wait for the user to accept the peer's new identity key.
  #held = new Map();
  #blocking = Promise.resolve();

  /** With `imported` keys, the user has exactly these. */
  constructor(name, instance, oneTimePrekeys, imported) {
    const clock = () => instance.clock;
    const stores = new Stores();
    const events = new Events();
    this.name = name;
    this.gateway = instance.gateway;
    this.clock = clock;
    this.events = events;
    const { library, suite } = instance;
    this.keys = new OwnKeys({ library, suite, stores, batch: oneTimePrekeys, imported });
    this.sent = new Sent();
    this.talk = new Talk(clock);
    this.mediaKeys = new media.MediaKeys();
    this.receiving = new Receiving(this);
    this.sessions = new Sessions({
      library,
      suite,
      user: name,
      keys: this.keys,
      stores,
      clock,
      fetchBundle: (peer) => this.#request('GET', `/keys/${peer}`),
      changed: (peer) => events.notice('identity-changed', peer),
    });
    this.chat = new Chat(this.gateway.chatUrl, {
      trustAnchors: this.gateway.trustAnchors,
      delivered: (stanza) => this.receiving.deliver(stanza),
      left: () => this.receiving.stop(),
    });
  }

  #request(method, path, json) {
    return this.gateway.json(method, path, { token: this.#token, json });
  }

  download(folder, path) {
    return this.gateway.bytes(this.#token, folder, path);
  }

  async enlist() {
    const { token } = await this.#request('POST', '/enlist', this.keys.enlistment(this.name));
    if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token)) throw new Problem('gateway-error', 'enlistment gave no token');
    this.#token = token;
    return this.keys.identity.public;
  }

  async delete() {
    if (!defect('deletes-locally-only')) await this.#request('DELETE', '/user');
    await this.leave();
    this.events.end();
  }

  /** Goes offline for good; the gateway is not asked. */
  async leave() {
    await this.chat.close();
    this.chat.forget();
  }

  async connect() {
    try {
      await this.chat.open(this.#token);
    } catch (error) {
      if (error.reason === 'not-enlisted' && defect('connects-although-un-enlisted')) return;
      throw error;
    }
    for (const peer of [...this.#held.keys()]) this.#release(peer);
  }

  async disconnect() {
    await this.chat.close();
  }

  /** Sends content under the given stanza id; resolves when the gateway has accepted it. */
  async send(to, stanza, what) {
    this.#requireOnline();
    if (to === this.name) throw new Problem('malformed', 'a message to oneself');
    const told = !isAnswered(what) && defect('tells-blocked');
    if (this.talk.hasBlocked(to) && !told) throw new Problem('blocked', `the user has blocked ${to}`);
    this.talk.check(to, 'own', what);
    const attachment = what.kind === 'media' ? await this.#upload(what) : undefined;
    const plaintext = content.write(stanza, this.clock(), what, attachment);
    this.sent.add(stanza, to, plaintext);
    this.talk.sending(to, stanza, what);
    try {
      const { accepted } = await this.sessions.alone(() => this.#encryptAndSubmit(to, stanza, plaintext, what, false));
      await accepted;
      this.talk.sent(to, stanza, what);
    } catch (error) {
      this.sent.forget(stanza);
      this.talk.unsent(to, stanza);
      const gone = error.reason === 'unknown-user';
      if (gone && defect('reports-refused-as-sent')) return;
      if (gone && defect('tells-deleted-from-unknown') && this.keys.stores.identities.current(to) !== null) {
        throw new Problem('deleted-user', `${to} was deleted`);
      }
      throw error;
    }
  }

  #requireOnline() {
    if (!this.chat.online) throw new Problem('not-connected', 'the user is offline');
  }

  // Encrypts and submits in one turn, so that stanzas leave in the order of the ratchet. The promise is wrapped: the turn ends when
  // the stanza is on its way, not when it is accepted.
  async #encryptAndSubmit(to, stanza, plaintext, what, lasting) {
    const { type, body } = await this.sessions.encrypt(to, plaintext);
    const message = { kind: 'message', id: stanza, to, type, body: body.toString('base64url'), ...preview(what) };
    const accepted = this.chat.submit(message, lasting);
    // Whoever awaits it sees the failure; until then it must not count as unhandled.
    accepted.catch(() => {});
    return { accepted };
  }

  async #upload({ media: kind, mime, name, file }) {
    content.fileName(name);
    content.mediaType(mime);
    if (file.url === undefined) throw new Problem('malformed', 'a file to send without its `url`');
    if (file.length > media.LARGEST_FILE) throw new Problem('too-large', `a file of ${file.length} bytes`);
    const plaintext = await this.download('files', file.url);
    if (plaintext.length !== file.length) throw new Problem('malformed', `a file of ${plaintext.length} bytes instead of ${file.length}`);
    if (!media.sha256(plaintext).equals(file.sha256)) throw new Problem('bad-digest', 'the file to send has another digest');
    const key = this.mediaKeys.next(file.sha256);
    const { blob, digest } = media.seal(plaintext, kind, key);
    const url = await this.gateway.upload(this.#token, blob);
    return { url, key, digest, length: plaintext.length };
  }

  /** A peer could not read a message: new session, same content, new stanza. Held back if the identity key changed. */
  async resend(message) {
    if (!this.sent.mayResend(message)) return;
    const stanza = randomUUID();
    try {
      const { accepted } = await this.sessions.alone(async () => {
        await this.sessions.establish(message.to);
        this.sent.resentUnder(message, stanza);
        return this.#encryptAndSubmit(message.to, stanza, message.plaintext, undefined, true);
      });
      this.receiving.follow(accepted);
    } catch (error) {
      if (error.reason !== 'untrusted-identity') throw error;
      const held = this.#held.get(message.to) ?? new Set();
      this.#held.set(message.to, held.add(message.message));
    }
  }

  /** Blocks a peer, or ends that; the gateway gets the whole list. One change after the other. */
  block(peer, blocked) {
    const change = this.#blocking.then(async () => {
      if (peer === this.name) throw new Problem('malformed', 'nobody blocks himself');
      const { users, commit } = this.talk.withBlocked(peer, blocked);
      if (!defect('blocks-locally-only')) await this.#request('PUT', '/blocks', { users });
      commit();
    });
    this.#blocking = change.catch(() => {});
    return change;
  }

  acceptIdentity(peer) {
    this.keys.stores.identities.accept(peer);
    if (this.chat.online) this.#release(peer);
  }

  #release(peer) {
    const held = this.#held.get(peer) ?? [];
    this.#held.delete(peer);
    for (const id of held) {
      const message = this.sent.byMessage(id);
      if (message !== undefined) this.receiving.follow(this.resend(message));
    }
  }

  // Neither a stanza nor an operation is under way meanwhile.
  #alone(action) {
    return this.receiving.between(() => this.sessions.alone(action));
  }

  /** State and log as they are now. */
  snapshot() {
    return this.#alone(() => ({
      user: this.name,
      stores: this.keys.stores.copy(),
      held: copied(this.#held),
      unsent: this.chat.unsent(),
      ...Object.fromEntries(this.#parts().map(([name, part]) => [name, part.kept()])),
    }));
  }

  /** Puts back what `snapshot` answered; the user is offline then. Ids of new prekeys go on: the gateway knows the old ones. */
  async restore(kept) {
    if (kept.user !== this.name) throw new Problem('malformed', 'a snapshot of another user');
    await this.leave();
    await this.#alone(() => {
      this.keys.stores.put(kept.stores);
      this.#held = copied(kept.held);
      for (const [name, part] of this.#parts()) part.put(kept[name]);
      for (const stanza of kept.unsent) this.receiving.follow(this.chat.submit(stanza, true));
    });
  }

  #parts() {
    return ['sessions', 'receiving', 'events', 'sent', 'talk'].map((name) => [name, this[name]]);
  }

  /** A copy for a thief, which never connects. */
  clone() {
    return this.#alone(() => new Copy(this));
  }

  export() {
    return this.#alone(() => exported(this));
  }

  /** The gateway has run out of our one-time prekeys: as many again, of each kind. */
  async refill() {
    if (defect('never-refills') || this.keys.batch === 0) return;
    await this.#publish(this.keys.oneTime(this.keys.batch));
  }

  async rotate(signed, kyber, oneTimePrekeys) {
    const fresh = this.keys.oneTime(oneTimePrekeys);
    if (signed) fresh.signed_prekey = this.keys.signedPrekey();
    if (kyber && defect('deletes-old-last-resort-at-once')) this.keys.forgetLastResort();
    if (kyber) fresh.kyber_prekey = this.keys.kyberPrekey(true);
    await this.#publish(fresh);
  }

  #publish(keys) {
    return this.#request('PUT', '/keys', keys);
  }

  fetchKeys(peer) {
    return this.sessions.alone(() => this.sessions.establish(peer));
  }
}

// Only for the defect: what a client that routes or notifies by content would let slip.
function preview(what) {
  if (what === undefined || !defect('plaintext-in-header')) return {};
  return { preview: what.text ?? what.name ?? what.emoji ?? '' };
}
