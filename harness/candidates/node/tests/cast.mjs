// Two users, of one candidate or of two, behind a fake gateway, driven through the operations of the contract alone.
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { Candidate } from '../src/operations.mjs';
import { stack } from '../src/stack.mjs';
import { selectDefect } from '../src/defects.mjs';
import { FakeGateway } from './gateway.mjs';

export class Cast {
  /** `stacks`: Alice's and Bob's, and those of whoever joins later are Alice's. */
  static async with(t, { oneTime = 5, defect = null, stacks = [stack, stack], suite = undefined } = {}) {
    const cast = new Cast();
    selectDefect(defect);
    cast.gateway = new FakeGateway();
    const candidates = [...new Set(stacks)].map((one) => new Candidate(one));
    [cast.candidate] = candidates;
    cast.instance = randomUUID();
    cast.oneTime = oneTime;
    const gateway = await cast.gateway.start();
    const chosen = suite === undefined ? {} : { suite };
    for (const one of candidates) await one.call('open', { instance: cast.instance, gateway, clock: 1_700_000_000_000, ...chosen });
    t.after(async () => {
      for (const one of candidates) await one.end();
      await cast.gateway.stop();
      selectDefect(null);
    });
    cast.alice = await cast.join();
    cast.bob = await cast.join(randomUUID(), candidates.at(-1));
    return cast;
  }

  // The candidate of each user that is not the first one's.
  #homes = new Map();

  async join(name = randomUUID(), candidate = this.#homes.get(name) ?? this.candidate) {
    this.#homes.set(name, candidate);
    await this.call('create_user', name, { one_time_prekeys: this.oneTime });
    await this.call('connect', name);
    return name;
  }

  call(op, user, args = {}) {
    if (op === 'advance_clock') return this.candidate.call(op, { instance: this.instance, ...args });
    return (this.#homes.get(user) ?? this.candidate).call(op, { instance: this.instance, user, ...args });
  }

  /** Sends; answers the stanza's id. */
  async send(user, to, content, stanza = randomUUID()) {
    const what = typeof content === 'string' ? { kind: 'text', text: content } : content;
    await this.call('send', user, { to, stanza, content: what });
    return stanza;
  }

  settle(user, through) {
    return this.call('settle', user, { through });
  }

  async events(user, after = 0) {
    return (await this.call('events', user, { after, wait_ms: 0 })).events.map(({ what }) => what);
  }

  /** Texts that a user was shown. */
  async texts(user) {
    return (await this.events(user)).filter(({ kind }) => kind === 'message').map(({ content }) => content.text);
  }

  /** Reasons of what a user's client refused. */
  async refusals(user) {
    return (await this.events(user)).filter(({ kind }) => kind === 'refused').map(({ reason }) => reason);
  }

  async notices(user) {
    return (await this.events(user)).filter(({ kind }) => kind === 'notice').map(({ notice }) => notice);
  }

  /** Resolves with the first stanza of a user that fits. */
  async sentBy(user, fits) {
    for (;;) {
      const found = this.gateway.sent.find((stanza) => stanza.from === user && fits(stanza));
      if (found) return found;
      await once(this.gateway, 'sent');
    }
  }
}

/** Flips a bit of a stanza's body, `fromEnd` bytes before its end. */
export function tampered(stanza, fromEnd = 1) {
  const body = Buffer.from(stanza.body, 'base64url');
  body[body.length - fromEnd] ^= 1;
  return { ...stanza, body: body.toString('base64url') };
}

/** Resolves with the reason that a call failed for. */
export async function reasonOf(promise) {
  try {
    await promise;
  } catch (error) {
    return error.reason ?? error;
  }
  return 'no failure';
}
