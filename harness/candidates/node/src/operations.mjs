// The operations of the upper tester: arguments, and what each does.
import { LONGEST_TEXT, userContent } from './content.mjs';
import { activeDefect } from './defects.mjs';
import { Instances, MOST_INSTANCES } from './instances.mjs';
import { MOST_PREKEYS, importedKeys } from './keys.mjs';
import { LARGEST_FILE } from './media.mjs';
import { Problem } from './reasons.mjs';
import { handle } from './state.mjs';
import { SUITES } from './suites.mjs';
import * as shape from './shape.mjs';

const CONTRACT = '1.0';
const LONGEST_WAIT_MS = 10_000;

const DONE = {};

function describe({ name, version, build, suites }) {
  const defect = activeDefect();
  return {
    name,
    version,
    build: `${build}${defect === null ? '' : ` with the defect ${defect}`}`,
    operator: 'Countersign',
    contract: CONTRACT,
    clock: Date.now(),
    bindings: ['portable'],
    suites: Object.keys(suites),
    features: [
      'text', 'image', 'video', 'voice', 'file', 'reaction', 'reply', 'edit', 'delete', 'typing',
      'read-receipt', 'delivery-receipt', 'retry', 'safety-number', 'block',
    ],
    capabilities: ['virtual-clock', 'import', 'snapshot', 'clone', 'export'],
    limits: { text_bytes: LONGEST_TEXT, file_bytes: LARGEST_FILE, instances: MOST_INSTANCES },
    assumptions: [
      'A message that arrives under a changed identity key is shown, after the notice; nothing is sent to that key before the user has accepted it.',
    ],
  };
}

const instance = shape.uuid;
const user = shape.uuid;
const batch = shape.whole(MOST_PREKEYS);

/** The candidate: `call(name, args)` answers an operation, or throws a `Problem`. */
export class Candidate {
  #instances = new Instances();

  /** `stack`: `{ name, version, build, suites }`, the last with the library's half for each suite, as `official.mjs` says. */
  constructor(stack) {
    this.stack = stack;
  }

  // An instance without a suite is one of a candidate that claims just one.
  #suite(name) {
    const claimed = Object.keys(this.stack.suites);
    const chosen = name ?? (claimed.length === 1 ? claimed[0] : undefined);
    if (chosen === undefined) throw new Problem('malformed', 'a suite has to be chosen');
    if (!claimed.includes(chosen)) throw new Problem('unsupported', `suite \`${chosen}\``);
    return { library: this.stack.suites[chosen], suite: SUITES[chosen] };
  }

  #user(args) {
    return this.#instances.get(args.instance).user(args.user);
  }

  #operations = {
    describe: [{}, () => describe(this.stack)],
    open: [{
      instance, gateway: shape.text, trust_anchors: shape.optional(shape.text), clock: shape.u64, suite: shape.optional(shape.text),
    }, ({ instance: id, gateway, trust_anchors: trustAnchors, clock, suite }) => {
      this.#instances.open(id, { gateway, clock, trustAnchors, ...this.#suite(suite) });
      return DONE;
    }],
    close: [{ instance }, async (args) => {
      await this.#instances.close(args.instance);
      return DONE;
    }],
    create_user: [{ instance, user, one_time_prekeys: batch, import: shape.optional(importedKeys) }, async (args) => {
      const identity = await this.#instances.get(args.instance).createUser(args.user, args.one_time_prekeys, args.import);
      return { identity_key: identity.toString('base64url') };
    }],
    delete_user: [{ instance, user }, async (args) => {
      await this.#instances.get(args.instance).deleteUser(args.user);
      return DONE;
    }],
    connect: [{ instance, user }, async (args) => {
      await this.#user(args).connect();
      return DONE;
    }],
    disconnect: [{ instance, user }, async (args) => {
      await this.#user(args).disconnect();
      return DONE;
    }],
    send: [{
      instance, user, to: shape.uuid, stanza: shape.uuid, content: userContent, sealed: shape.optional(shape.flag),
    }, async (args) => {
      if (args.sealed) throw new Problem('unsupported', 'this candidate does not claim sealed sender');
      await this.#user(args).send(args.to, args.stanza, args.content);
      return DONE;
    }],
    events: [{ instance, user, after: shape.u64, wait_ms: shape.whole(LONGEST_WAIT_MS) }, async (args) => {
      return { events: await this.#user(args).events.after(args.after, args.wait_ms) };
    }],
    settle: [{ instance, user, through: shape.uuid }, async (args) => {
      await this.#user(args).receiving.settle(args.through);
      return DONE;
    }],
    fetch_keys: [{ instance, user, of: shape.uuid }, async (args) => {
      return { identity_key: (await this.#user(args).fetchKeys(args.of)).toString('base64url') };
    }],
    rotate_keys: [{ instance, user, signed: shape.flag, kyber: shape.flag, one_time_prekeys: batch }, async (args) => {
      await this.#user(args).rotate(args.signed, args.kyber, args.one_time_prekeys);
      return DONE;
    }],
    verify_identity: [{ instance, user, peer: shape.uuid }, (args) => ({ digits: this.#user(args).sessions.safetyNumber(args.peer) })],
    accept_identity: [{ instance, user, peer: shape.uuid }, (args) => {
      this.#user(args).acceptIdentity(args.peer);
      return DONE;
    }],
    block: [{ instance, user, peer: shape.uuid, blocked: shape.flag }, async (args) => {
      await this.#user(args).block(args.peer, args.blocked);
      return DONE;
    }],
    advance_clock: [{ instance, by_ms: shape.u64 }, (args) => {
      this.#instances.get(args.instance).clock += args.by_ms;
      return DONE;
    }],
    snapshot: [{ instance, user }, async (args) => {
      const kept = await this.#user(args).snapshot();
      return { snapshot: this.#instances.get(args.instance).snapshots.put(kept) };
    }],
    restore: [{ instance, user, snapshot: handle }, async (args) => {
      await this.#user(args).restore(this.#instances.get(args.instance).snapshots.get(args.snapshot));
      return DONE;
    }],
    clone: [{ instance, user }, async (args) => {
      const copy = await this.#user(args).clone();
      return { clone: this.#instances.get(args.instance).clones.put(copy) };
    }],
    deliver: [{ instance, clone: handle, stanza: (value) => value }, async (args) => {
      return { events: await this.#instances.get(args.instance).clones.get(args.clone).feed(args.stanza) };
    }],
    export: [{ instance, user }, async (args) => ({ parts: await this.#user(args).export() })],
  };

  async call(name, args) {
    if (!Object.hasOwn(this.#operations, name)) throw new Problem('unsupported', `there is no operation \`${name}\``);
    const [members, run] = this.#operations[name];
    return run(shape.object(members)(args, `arguments of \`${name}\``));
  }

  async end() {
    await this.#instances.closeAll();
  }
}
