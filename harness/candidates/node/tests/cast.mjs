// Two users of one candidate, behind a fake gateway, driven through the operations of the contract alone.
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { Candidate } from '../src/operations.mjs';
import { selectDefect } from '../src/defects.mjs';
import { FakeGateway } from './gateway.mjs';

export class Cast {
  static async with(t, { oneTime = 5, defect = null } = {}) {
    const cast = new Cast();
    selectDefect(defect);
    cast.gateway = new FakeGateway();
    cast.candidate = new Candidate();
    cast.instance = randomUUID();
    cast.oneTime = oneTime;
    await cast.candidate.call('open', { instance: cast.instance, gateway: await cast.gateway.start(), clock: 1_700_000_000_000 });
    t.after(async () => {
      await cast.candidate.end();
      await cast.gateway.stop();
      selectDefect(null);
    });
    [cast.alice, cast.bob] = [await cast.join(), await cast.join()];
    return cast;
  }

  async join(name = randomUUID()) {
    await this.call('create_user', name, { one_time_prekeys: this.oneTime });
    await this.call('connect', name);
    return name;
  }

  call(op, user, args = {}) {
    return this.candidate.call(op, { instance: this.instance, user, ...args });
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
