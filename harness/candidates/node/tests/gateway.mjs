// A small gateway for the tests, written from the contract's documentation. It keeps the rules that a client can notice, and lets a
// test change what passes: `disturb(stanza)` answers the stanzas to deliver instead of one.
import { EventEmitter } from 'node:events';
import http from 'node:http';
import { randomUUID } from 'node:crypto';
import { WebSocketServer } from 'ws';

export class FakeGateway extends EventEmitter {
  users = new Map();
  media = new Map();
  files = new Map();
  requests = [];
  /** Answers that come before the real ones: `{ when: (request) => boolean, status, reason, headers }`, each used once. */
  faults = [];
  disturb = (stanza) => [stanza];
  /** The next downloads break off after so many bytes. */
  breaks = [];
  /** Reasons with which the next stanzas of clients are refused. */
  refusals = [];
  /** Statuses with which the next requests for a chat channel are answered. */
  closedDoors = [];
  /** Changes a bundle before it is handed out. */
  bundle = (bundle) => bundle;

  async start() {
    this.server = http.createServer((request, response) => this.#answer(request, response));
    this.sockets = new WebSocketServer({ noServer: true });
    this.server.on('upgrade', (request, socket, head) => {
      const status = this.closedDoors.shift();
      if (status !== undefined) return socket.end(`HTTP/1.1 ${status} Later\r\ncontent-length: 0\r\n\r\n`);
      const user = this.#byToken(request.headers);
      if (user === undefined) return socket.end('HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n');
      this.sockets.handleUpgrade(request, socket, head, (channel) => this.#opened(user, channel));
    });
    await new Promise((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${this.server.address().port}/an/instance`;
  }

  stop() {
    for (const { channel } of this.users.values()) channel?.terminate();
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(resolve));
  }

  #byToken(headers) {
    return [...this.users.values()].find(({ token }) => headers.authorization === `Bearer ${token}`);
  }

  async #answer(request, response) {
    const parts = [];
    for await (const part of request) parts.push(part);
    const body = Buffer.concat(parts);
    const path = request.url.replace('/an/instance', '');
    const seen = { method: request.method, path, headers: request.headers, body, at: performance.now() };
    this.requests.push(seen);
    const fault = this.faults.find(({ when }) => when(seen));
    if (fault) this.faults.splice(this.faults.indexOf(fault), 1);
    const { status, bytes, headers } = fault ? problem(fault) : this.#route(seen);
    response.writeHead(status, { 'content-length': bytes.length, ...headers });
    const after = request.method === 'GET' && path.startsWith('/media/') ? this.breaks.shift() : undefined;
    if (after === undefined) response.end(bytes);
    else response.write(bytes.subarray(0, after), () => response.destroy());
  }

  #route({ method, path, headers, body }) {
    if (method === 'POST' && path === '/enlist') return this.#enlist(JSON.parse(body));
    const user = this.#byToken(headers);
    if (user === undefined) return problem({ status: 401, reason: 'unauthorized' });
    const [, folder, name] = path.split('/');
    if (method === 'GET' && folder === 'keys') return this.#keys(name);
    if (method === 'PUT' && folder === 'keys') return this.#publish(user, JSON.parse(body));
    if (method === 'PUT' && folder === 'blocks') {
      user.blocks = JSON.parse(body).users;
      return json({ users: user.blocks });
    }
    if (method === 'DELETE' && folder === 'user') {
      this.users.delete(user.keys.user);
      user.channel?.close(4000);
      return json({});
    }
    if (method === 'PUT' && folder === 'media') {
      const id = randomUUID();
      this.media.set(id, body);
      return json({ url: `/media/${id}` });
    }
    const bytes = { media: this.media, files: this.files }[folder]?.get(name);
    return bytes ? { status: 200, bytes, headers: {} } : problem({ status: 404, reason: 'media-missing' });
  }

  #enlist(keys) {
    this.users.get(keys.user)?.channel?.close(4000);
    this.users.set(keys.user, { keys, token: randomUUID(), mailbox: new Map(), channel: null });
    return json({ token: this.users.get(keys.user).token });
  }

  #keys(name) {
    const user = this.users.get(name);
    if (user === undefined) return problem({ status: 404, reason: 'unknown-user' });
    const { one_time_prekeys: ec, one_time_kyber_prekeys: kyber, kyber_prekey: lastResort, ...rest } = user.keys;
    const had = ec.length + kyber.length > 0;
    const bundle = { ...rest, kyber_prekey: kyber.shift() ?? lastResort };
    const oneTime = ec.shift();
    if (oneTime) bundle.one_time_prekey = oneTime;
    if (had && (ec.length === 0 || (lastResort && kyber.length === 0))) {
      this.deliver(name, { kind: 'keys-low', id: randomUUID(), one_time_prekeys: ec.length, one_time_kyber_prekeys: kyber.length });
    }
    return json(this.bundle(bundle));
  }

  #publish(user, { one_time_prekeys: ec, one_time_kyber_prekeys: kyber, ...others }) {
    Object.assign(user.keys, others);
    user.keys.one_time_prekeys.push(...ec);
    user.keys.one_time_kyber_prekeys.push(...kyber);
    return json({ one_time_prekeys: user.keys.one_time_prekeys.length, one_time_kyber_prekeys: user.keys.one_time_kyber_prekeys.length });
  }

  #opened(user, channel) {
    user.channel?.close(4001);
    user.channel = channel;
    channel.on('message', (data) => this.#stanza(user, JSON.parse(data)));
    for (const stanza of user.mailbox.values()) channel.send(JSON.stringify(stanza));
  }

  /** Stanzas that clients sent, acknowledgements included. */
  sent = [];

  #stanza(user, stanza) {
    const from = user.keys.user;
    this.sent.push({ ...stanza, from });
    this.emit('sent');
    if (stanza.kind === 'ack') {
      user.mailbox.delete(stanza.id);
      return;
    }
    const { to, ...rest } = stanza;
    const reason = this.refusals.shift() ?? (this.users.has(to) ? null : 'unknown-user');
    const answer = reason === null ? { kind: 'accepted', id: stanza.id } : { kind: 'refused', id: stanza.id, problem: { reason, detail: '' } };
    user.channel.send(JSON.stringify(answer));
    if (answer.kind === 'accepted') for (const changed of this.disturb({ ...rest, from })) this.deliver(to, changed);
  }

  deliver(to, stanza) {
    const user = this.users.get(to);
    user.mailbox.set(stanza.id, stanza);
    user.channel?.send(JSON.stringify(stanza));
  }
}

function json(value) {
  return { status: 200, bytes: Buffer.from(JSON.stringify(value)), headers: { 'content-type': 'application/json' } };
}

function problem({ status, reason, headers = {} }) {
  return { status, bytes: Buffer.from(JSON.stringify({ reason, detail: 'by the test' })), headers: { 'content-type': 'application/problem+json', ...headers } };
}
