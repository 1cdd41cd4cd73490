// The operations of the contract, and the statement of claims.
import { User } from './client.mjs';
import { OPERATIONS, Problem, VERSION, check } from './contract.mjs';
import { Gateway } from './gateway.mjs';

// What `describe` claims. Take the mark of comment off a line when it is true, and not before: a claim that turns out to be
// `unsupported` is a failure, and a feature that is not claimed is not tested. The README says which step makes which line true.
const SUITES = [
  // 'signal-pq', // step 1
  // 'signal-classic', // in place of it, or beside it
];
const FEATURES = [
  // 'text', // step 1
  // 'delivery-receipt', // step 1
  // 'retry', // step 2
  // 'safety-number', // step 3
  // 'image', 'video', 'voice', 'file', // step 4
  // 'reaction', 'reply', 'edit', 'delete', 'typing', 'read-receipt', // step 5
  // 'block', // step 6
  // 'group', // for the profile dma-groups
  // 'sealed-sender', // for the profile sealed-sender
];
const LIMITS = { text_bytes: 100_000, file_bytes: 16 * 1024 * 1024, instances: 64 };
const MOST_PREKEYS = 100;
const LONGEST_WAIT_MS = 10_000;
const NAMES = ['instance', 'user', 'to', 'of', 'peer', 'stanza', 'through'];
const DELETED = Symbol('deleted');

function prekeys(count) {
  if (count > MOST_PREKEYS) throw new Problem('malformed', `more than ${MOST_PREKEYS} one-time prekeys`);
  return count;
}

/** Instances, each with its own users, clock and gateway: `call(name, args)` answers an operation, or throws a `Problem`. */
export class Candidate {
  #instances = new Map();

  /** One entry for each operation of the contract. */
  operations = {
    describe: () => ({
      name: 'NAME OF YOUR MESSENGER',
      version: '0.1.0',
      build: 'skeleton', // the digest or the name of your build
      operator: 'NAME OF YOUR MESSENGER', // who runs it
      contract: VERSION,
      clock: Date.now(),
      bindings: ['portable'],
      suites: SUITES,
      features: FEATURES,
      capabilities: ['virtual-clock'],
      limits: LIMITS,
      assumptions: [], // in your own words; they are printed in the report
    }),
    open: ({ instance, gateway, clock }) => {
      if (this.#instances.has(instance)) throw new Problem('malformed', `instance ${instance} is open already`);
      if (this.#instances.size >= LIMITS.instances) throw new Problem('busy', `${LIMITS.instances} instances are open`);
      this.#instances.set(instance, { gateway: new Gateway(gateway), clock, users: new Map() });
      return {};
    },
    close: async (args) => {
      const { users, gateway } = this.#instance(args);
      this.#instances.delete(args.instance);
      await Promise.all([...users.values()].filter((user) => user !== DELETED).map((user) => user.leave()));
      gateway.end();
      return {};
    },
    create_user: async (args) => {
      const instance = this.#instance(args);
      const before = instance.users.get(args.user);
      if (before instanceof User) await before.leave(); // as after a reinstall: new keys, an empty client
      const user = new User(args.user, instance, prekeys(args.one_time_prekeys));
      await user.enlist();
      instance.users.set(args.user, user);
      return { identity_key: user.identityKey() };
    },
    delete_user: async (args) => {
      await this.#user(args).delete();
      this.#instance(args).users.set(args.user, DELETED);
      return {};
    },
    connect: async (args) => {
      await this.#user(args).connect();
      return {};
    },
    disconnect: async (args) => {
      await this.#user(args).disconnect();
      return {};
    },
    send: async (args) => {
      const user = this.#user(args);
      if (args.sealed) {
        throw new Problem('unsupported', 'sealed sender: here your certificates: see the contract, module sealed');
      }
      await user.send(args.to, args.stanza, args.content);
      return {};
    },
    events: async (args) => ({ events: await this.#user(args).eventsAfter(args.after, Math.min(args.wait_ms, LONGEST_WAIT_MS)) }),
    settle: async (args) => {
      await this.#user(args).settle(args.through);
      return {};
    },
    fetch_keys: async (args) => ({ identity_key: await this.#user(args).fetchKeys(args.of) }),
    rotate_keys: async (args) => {
      await this.#user(args).rotate(args.signed, args.kyber, prekeys(args.one_time_prekeys));
      return {};
    },
    verify_identity: async (args) => ({ digits: await this.#user(args).safetyNumber(args.peer) }),
    accept_identity: async (args) => {
      await this.#user(args).acceptIdentity(args.peer);
      return {};
    },
    block: (args) => {
      this.#user(args);
      throw new Problem('unsupported', 'blocking: here your block list: see the contract, module portable');
    },
    create_group: (args) => {
      this.#user(args);
      throw new Problem('unsupported', 'groups: here your sender keys: see the contract, module groups');
    },
    change_group: (args) => {
      this.#user(args);
      throw new Problem('unsupported', 'groups: here your sender keys: see the contract, module groups');
    },
    send_to_group: (args) => {
      this.#user(args);
      throw new Problem('unsupported', 'groups: here your sender keys: see the contract, module groups');
    },
    advance_clock: (args) => {
      // This client has no timers of its own. If yours has some: fire what falls due, before the answer.
      this.#instance(args).clock += args.by_ms;
      return {};
    },
  };

  async call(name, args) {
    const schema = OPERATIONS.get(name);
    if (schema === undefined) throw new Problem('unsupported', `there is no operation \`${name}\``);
    check(args, schema, 'args');
    const run = this.operations[name];
    if (run === undefined) throw new Problem('unsupported', `\`${name}\` is of the contract, and has no entry here yet`);
    // UUIDs in one spelling.
    return run(Object.fromEntries(Object.entries(args).map(([key, value]) => [key, NAMES.includes(key) ? value.toLowerCase() : value])));
  }

  #instance({ instance }) {
    const found = this.#instances.get(instance);
    if (found === undefined) throw new Problem('unknown-instance', `no instance ${instance} is open`);
    return found;
  }

  #user(args) {
    const user = this.#instance(args).users.get(args.user);
    if (user === undefined) throw new Problem('unknown-user', `no user ${args.user} here`);
    if (user === DELETED) throw new Problem('deleted-user', `user ${args.user} was deleted`);
    return user;
  }
}
