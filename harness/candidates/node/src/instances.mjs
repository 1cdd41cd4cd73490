// Instances: each has its own gateway, clock and users, apart from every other.
import { Gateway } from './gateway.mjs';
import { Problem } from './reasons.mjs';
import { User } from './user.mjs';

export const MOST_INSTANCES = 256;

const DELETED = Symbol('deleted');

class Instance {
  #users = new Map();

  constructor(gateway, clock, trustAnchors) {
    this.gateway = new Gateway(gateway, trustAnchors);
    this.clock = clock;
  }

  user(name) {
    const user = this.#users.get(name);
    if (user === undefined) throw new Problem('unknown-user', `no user ${name} here`);
    if (user === DELETED) throw new Problem('deleted-user', `user ${name} was deleted`);
    return user;
  }

  /** Makes a user, or makes it anew as after a reinstall: the old client ends before the new one is enlisted, and its log with it. */
  async createUser(name, oneTimePrekeys) {
    const before = this.#users.get(name);
    if (before instanceof User) {
      await before.leave();
      before.events.end();
    }
    const user = new User(name, this, oneTimePrekeys);
    const identity = await user.enlist();
    this.#users.set(name, user);
    return identity;
  }

  async deleteUser(name) {
    await this.user(name).delete();
    this.#users.set(name, DELETED);
  }

  async close() {
    const users = [...this.#users.values()].filter((user) => user !== DELETED);
    await Promise.all(users.map((user) => user.leave()));
    for (const user of users) user.events.end();
    this.gateway.close();
  }
}

export class Instances {
  #open = new Map();

  get(id) {
    const instance = this.#open.get(id);
    if (instance === undefined) throw new Problem('unknown-instance', `no instance ${id} is open`);
    return instance;
  }

  open(id, gateway, clock, trustAnchors) {
    if (this.#open.has(id)) throw new Problem('malformed', `instance ${id} is open already`);
    if (this.#open.size >= MOST_INSTANCES) throw new Problem('busy', `${MOST_INSTANCES} instances are open`);
    this.#open.set(id, new Instance(gateway, clock, trustAnchors));
  }

  async close(id) {
    const instance = this.get(id);
    this.#open.delete(id);
    await instance.close();
  }

  async closeAll() {
    await Promise.all([...this.#open.keys()].map((id) => this.close(id)));
  }
}
