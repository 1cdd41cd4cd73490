// One user of an instance: keys at the gateway, the chat channel, what the user does, and what the user sees.
import { randomUUID } from 'node:crypto';
import * as content from './content.mjs';
import { Problem, decode, encode, isUuid, problemOf } from './contract.mjs';
import { withRetries } from './gateway.mjs';
import * as media from './media.mjs';
import { Signal } from './signal-library.mjs';

const MOST_RETRIES = 5; // requests for one message, and resends of one message
const SETTLE_WITHIN_MS = 28_000; // before the deadline of `settle`
const MOST_EVENTS = 256;
// Refusals after which a message is asked for again.
const ASKED_AGAIN = ['no-session', 'unknown-prekey', 'bad-mac'];

export class User {
  #token;
  #socket = null;
  #gone = false;
  #turn = Promise.resolve();
  #events = [];
  #waiters = new Set();
  #queue = []; // stanzas that were delivered and are not processed
  #working = null;
  #processed = new Set();
  #unacknowledged = new Set(); // processed, and the channel was gone before that could be said
  #decrypted = new Set(); // stanzas
  #shown = new Set(); // sender and message id: a resend has another stanza id
  #asked = new Map(); // stanza: how often it was asked for again
  #sent = new Map(); // stanza: the message that it carried
  #held = []; // resends that wait for the user to accept an identity key
  #submitted = new Map(); // stanza: who waits for the gateway's word
  #followUps = 0; // what followed from a stanza and is not accepted yet

  constructor(name, instance, batch) {
    Object.assign(this, { name, instance, gateway: instance.gateway, batch });
    this.signal = new Signal(name, () => instance.clock, (peer) => this.#notice('identity-changed', peer));
  }

  // Encrypting and writing is one turn, so that stanzas leave in the order of the ratchet.
  #alone(action) {
    const result = this.#turn.then(action);
    this.#turn = result.catch(() => {});
    return result;
  }

  // Answers when `done()` is true, or after a time: whether it is true then.
  #until(done, withinMs) {
    if (done()) return true;
    return new Promise((resolve) => {
      const look = () => {
        if (done()) end(true);
      };
      const end = (answer) => {
        clearTimeout(timer);
        this.#waiters.delete(look);
        resolve(answer);
      };
      const timer = setTimeout(() => end(false), withinMs);
      this.#waiters.add(look);
    });
  }

  #wake() {
    for (const look of [...this.#waiters]) look();
  }

  // Keys at the gateway.

  identityKey() {
    return encode(this.signal.identityKey());
  }

  async enlist() {
    const body = {
      user: this.name,
      registration_id: await this.signal.registrationId(),
      identity_key: this.identityKey(),
      signed_prekey: wire(await this.signal.newSignedPrekey()),
      kyber_prekey: wire(await this.signal.newKyberPrekey(true)),
      ...(await this.#oneTime(this.batch)),
    };
    this.#token = (await this.gateway.json('POST', '/enlist', undefined, body)).token;
  }

  async #oneTime(count) {
    const keys = { one_time_prekeys: [], one_time_kyber_prekeys: [] };
    for (let i = 0; i < count; i += 1) {
      keys.one_time_prekeys.push(wire(await this.signal.newOneTimePrekey()));
      keys.one_time_kyber_prekeys.push(wire(await this.signal.newKyberPrekey(false)));
    }
    return keys;
  }

  async rotate(signed, kyber, count) {
    const body = await this.#alone(async () => ({
      ...(await this.#oneTime(count)),
      ...(signed ? { signed_prekey: wire(await this.signal.newSignedPrekey()) } : {}),
      ...(kyber ? { kyber_prekey: wire(await this.signal.newKyberPrekey(true)) } : {}),
    }));
    await this.gateway.json('PUT', '/keys', this.#token, body);
  }

  async delete() {
    await this.gateway.json('DELETE', '/user', this.#token);
    await this.leave();
  }

  // The chat channel.

  async connect() {
    if (this.#socket !== null) return;
    await this.#open();
    for (const message of this.#held.splice(0)) await this.#resend(message);
  }

  async #open() {
    const ended = (socket, inOrder) => {
      if (socket !== this.#socket) return;
      this.#socket = null;
      this.#wake();
      // In order, it is the gateway's word; anything else was a loss, and the client comes back.
      if (!inOrder) this.#open().catch((error) => console.error(`the channel is lost: ${error.message}`));
    };
    this.#socket = await this.gateway.chat(this.#token, (text) => this.#receive(text), ended);
    // What the client itself had to say when the channel was lost.
    for (const { stanza } of this.#submitted.values()) this.#write(stanza);
  }

  async disconnect() {
    const socket = this.#socket;
    this.#socket = null;
    this.#queue = []; // not acknowledged: it will be delivered again
    for (const { own, reject } of this.#submitted.values()) if (!own) reject(new Problem('not-connected', 'the user went offline'));
    this.#wake();
    await socket?.close();
  }

  /** Goes offline for good. */
  async leave() {
    this.#gone = true;
    await this.disconnect();
    for (const { reject } of this.#submitted.values()) reject(new Problem('not-connected', 'the user is gone'));
    this.#wake();
  }

  // Whether it could be written.
  #write(stanza) {
    this.#socket?.send(JSON.stringify(stanza));
    return this.#socket !== null;
  }

  #receive(text) {
    let stanza = null;
    try {
      stanza = JSON.parse(text);
    } catch {
      // Said below.
    }
    if (!isUuid(stanza?.id)) {
      console.error('a frame of the gateway is not a stanza');
      return;
    }
    const id = stanza.id.toLowerCase();
    if (stanza.kind === 'accepted') this.#submitted.get(id)?.resolve();
    else if (stanza.kind === 'refused') this.#submitted.get(id)?.reject(new Problem(stanza.problem?.reason ?? 'gateway-error', stanza.problem?.detail));
    else {
      this.#queue.push(stanza);
      this.#working ??= this.#work();
    }
  }

  /**
   * Writes a stanza; the promise inside is the gateway's acceptance. One that was refused as `busy` goes out again, after a
   * pause. `own` stanzas outlive a loss of the channel.
   */
  #submit(stanza, own) {
    if (this.#socket === null && !own) throw new Problem('not-connected', 'the user is offline');
    const accepted = withRetries(
      () => new Promise((resolve, reject) => {
        this.#submitted.set(stanza.id, { stanza, own, resolve, reject });
        this.#write(stanza);
      }),
    ).finally(() => this.#submitted.delete(stanza.id));
    // Whoever awaits it sees the failure; until then it must not count as unhandled.
    accepted.catch(() => {});
    return { accepted };
  }

  // What follows from a stanza: `settle` waits for it.
  async #follow(work) {
    this.#followUps += 1;
    try {
      await work;
    } catch (error) {
      console.error(`what followed from a stanza failed: ${problemOf(error).reason}`);
    }
    this.#followUps -= 1;
    this.#wake();
  }

  async settle(through) {
    const done = () =>
      this.#socket === null || (this.#processed.has(through) && this.#queue.length === 0 && this.#working === null && this.#followUps === 0);
    if (!(await this.#until(done, SETTLE_WITHIN_MS))) throw new Problem('timeout', `${through} or what followed from it is not done`);
    if (this.#socket === null) throw new Problem('not-connected', 'the user is offline');
  }

  // Sending.

  async send(to, stanza, what) {
    if (this.#socket === null) throw new Problem('not-connected', 'the user is offline');
    const attachment = what.kind === 'media' ? await this.#upload(what) : undefined;
    const plaintext = content.write(stanza, this.instance.clock, what, attachment);
    const message = { id: stanza, to, plaintext, resends: 0, delivered: false };
    const { accepted } = await this.#alone(() => this.#encryptAndSubmit(message, stanza, false));
    await accepted;
  }

  async #encryptAndSubmit(message, stanza, own) {
    if (!(await this.signal.hasSession(message.to))) await this.#establish(message.to);
    const { type, body } = await this.signal.encrypt(message.to, message.plaintext);
    this.#sent.set(stanza, message);
    return this.#submit({ kind: 'message', id: stanza, to: message.to, type, body: encode(body) }, own);
  }

  async #establish(peer) {
    const bundle = await this.gateway.json('GET', `/keys/${peer}`, this.#token);
    if (bundle?.user?.toLowerCase() !== peer) throw new Problem('malformed', 'the bundle of another user');
    return this.signal.establish(peer, withBytes(bundle));
  }

  fetchKeys(peer) {
    return this.#alone(async () => encode(await this.#establish(peer)));
  }

  /** A peer could not read a message: new session, same content, another stanza. Held back if the identity key changed. */
  async #resend(message) {
    if (message.resends >= MOST_RETRIES) return;
    try {
      const { accepted } = await this.#alone(async () => {
        await this.#establish(message.to);
        return this.#encryptAndSubmit(message, randomUUID(), true);
      });
      message.resends += 1;
      this.#follow(accepted);
    } catch (error) {
      if (error.reason !== 'untrusted-identity') throw error;
      this.#held.push(message);
    }
  }

  safetyNumber(peer) {
    return this.#alone(() => this.signal.safetyNumber(peer));
  }

  async acceptIdentity(peer) {
    await this.#alone(() => this.signal.acceptIdentity(peer));
    if (this.#socket === null) return;
    const ready = this.#held.filter((message) => message.to === peer);
    this.#held = this.#held.filter((message) => message.to !== peer);
    for (const message of ready) await this.#resend(message);
  }

  async #upload(what) {
    const plaintext = await this.gateway.download('files', what.file.url, this.#token);
    if (encode(media.sha256(plaintext)) !== what.file.sha256) throw new Problem('bad-digest', 'the file to send has another digest');
    const { blob, key, digest } = media.seal(what.media, plaintext);
    const answer = JSON.parse((await this.gateway.bytes('PUT', '/media', this.#token, blob)).toString('utf8'));
    return content.attachment(what, answer.url, key, digest);
  }

  // Receiving: one stanza after another, each acknowledged when it is processed, whatever came of it.

  async #work() {
    for (let stanza = this.#queue.shift(); stanza !== undefined; stanza = this.#queue.shift()) {
      const id = stanza.id.toLowerCase();
      if (!this.#unacknowledged.has(id)) {
        try {
          await this.#process(stanza, id);
        } catch (error) {
          this.#event({ kind: 'refused', stanza: id, reason: problemOf(error).reason });
        }
      }
      if (this.#write({ kind: 'ack', id })) this.#unacknowledged.delete(id);
      else this.#unacknowledged.add(id);
      this.#processed.add(id);
    }
    this.#working = null;
    this.#wake();
  }

  async #process(stanza, id) {
    if (stanza.kind === 'keys-low') return this.rotate(false, false, this.batch);
    // Of a newer gateway: acknowledged, and otherwise without effect.
    if (!['message', 'receipt'].includes(stanza.kind)) return undefined;
    const from = isUuid(stanza.from) ? stanza.from.toLowerCase() : null;
    if (stanza.kind === 'message' && from !== null && ['prekey', 'normal'].includes(stanza.type)) {
      return this.#message(id, from, stanza.type, decode(stanza.body));
    }
    if (stanza.kind === 'receipt' && from !== null && isUuid(stanza.of)) return this.#receipt(from, stanza.type, stanza.of.toLowerCase());
    throw new Problem('malformed', 'not a stanza');
  }

  async #message(id, from, type, body) {
    if (this.#decrypted.has(id)) throw new Problem('duplicate', 'this stanza was delivered before');
    let plaintext;
    try {
      plaintext = await this.#alone(() => this.signal.decrypt(from, type, body));
    } catch (error) {
      if (ASKED_AGAIN.includes(error.reason)) this.#askAgain(id, from);
      throw error;
    }
    this.#decrypted.add(id);
    const { message, shown, attachment } = content.read(plaintext);
    if (this.#shown.has(`${from} ${message}`)) throw new Problem('duplicate', 'this message was shown before');
    const seen = shown ?? (await this.#file(attachment));
    this.#shown.add(`${from} ${message}`);
    this.#event({ kind: 'message', message, from, content: seen });
    this.#answer({ type: 'delivered', to: from, of: id });
  }

  #askAgain(id, from) {
    const count = (this.#asked.get(id) ?? 0) + 1;
    this.#asked.set(id, count);
    if (count === 1) this.#notice('undecryptable', from);
    if (count <= MOST_RETRIES) this.#answer({ type: 'retry', to: from, of: id, count });
  }

  #answer(receipt) {
    this.#follow(this.#submit({ kind: 'receipt', id: randomUUID(), ...receipt }, true).accepted);
  }

  async #file(attachment) {
    const blob = await this.gateway.download('media', attachment.url, this.#token);
    return content.seenFile(attachment, media.sha256(media.open(attachment.kind, blob, attachment)));
  }

  async #receipt(from, type, of) {
    const message = this.#sent.get(of);
    // About a message that this user did not send to that peer: nothing to show, and nothing to send.
    if (message?.to !== from) return;
    if (type === 'retry') {
      await this.#resend(message);
    } else if (type === 'delivered' && !message.delivered) {
      message.delivered = true;
      this.#event({ kind: 'receipt', from, of: [message.id] });
    }
  }

  // What the user sees.

  #notice(notice, about) {
    this.#event({ kind: 'notice', notice, about });
  }

  #event(what) {
    this.#events.push({ seq: this.#events.length + 1, what });
    this.#wake();
  }

  async eventsAfter(cursor, waitMs) {
    await this.#until(() => this.#events.length > cursor || this.#gone, waitMs);
    return this.#events.slice(cursor, cursor + MOST_EVENTS);
  }
}

const wire = ({ id, key, signature }) => ({ id, key: encode(key), ...(signature === undefined ? {} : { signature: encode(signature) }) });

// A bundle with its byte strings decoded.
function withBytes(value) {
  if (value === null || typeof value !== 'object') return value;
  const named = ['key', 'signature', 'identity_key'];
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, named.includes(name) ? decode(member) : withBytes(member)]));
}
