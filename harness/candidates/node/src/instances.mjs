// Instances: each has its own gateway, clock and users, apart from every other.
import { Gateway } from './gateway.mjs';
import { Problem } from './reasons.mjs';
import { Shelf } from './state.mjs';
import { User } from './user.mjs';

export const MOST_INSTANCES = 256;

const DELETED = Symbol('deleted');

class Instance {
  #users = new Map();
  snapshots = new Shelf('snapshot');
  clones = new Shelf('clone');

  constructor({ gateway, clock, trustAnchors, library, suite }) {
    this.gateway = new Gateway(gateway, trustAnchors);
    Object.assign(this, { clock, library, suite });
  }

  user(name) {
    const user = this.#users.get(name);
    if (user === undefined) throw new Problem('unknown-user', `no user ${name} here`);
    if (user === DELETED) throw new Problem('deleted-user', `user ${name} was deleted`);
    return user;
  }

  /** Makes a user, or makes it anew as after a reinstall: the old client ends before the new one is enlisted, and its log with it. */
  async createUser(name, oneTimePrekeys, imported) {
    const before = this.#users.get(name);
    if (before instanceof User) {
      await before.leave();
      before.events.end();
    }
    const user = new User(name, this, oneTimePrekeys, imported);
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

  /** `library` and `suite`: the end-to-end encryption of all users in it. */
  open(id, options) {
    if (this.#open.has(id)) throw new Problem('malformed', `instance ${id} is open already`);
    if (this.#open.size >= MOST_INSTANCES) throw new Problem('busy', `${MOST_INSTANCES} instances are open`);
    this.#open.set(id, new Instance(options));
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
