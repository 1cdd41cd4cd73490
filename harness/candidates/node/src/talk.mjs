// Conversations: what may be said about a message, what is answered, and whom the user has blocked. After the contract's module
// `conversation`; times are those of this client's own clock.
import { copied } from './copied.mjs';
import { Problem } from './reasons.mjs';
import { defect } from './defects.mjs';

const LONGEST_EMOJI_BYTES = 64;
const EDIT_WITHIN_MS = 15 * 60 * 1000;
const DELETE_WITHIN_MS = 2 * 24 * 60 * 60 * 1000;

const STANDS = new Set(['text', 'media', 'reply']);
const UNANSWERED = new Set(['typing', 'read']);

/** Whether a content that was shown is answered with a delivery receipt. */
export const isAnswered = ({ kind }) => !UNANSWERED.has(kind) || (kind === 'typing' && defect('receipt-for-typing'));

export class Talk {
  // By peer, and by message: who wrote it (`own` or `peer`), whether it is a file, when it was shown or sent, and the reaction.
  #peers = new Map();
  #deleted = new Set();
  #blocked = new Set();

  constructor(clock) {
    this.clock = clock;
  }

  kept() {
    return copied({ peers: this.#peers, deleted: this.#deleted, blocked: this.#blocked });
  }

  /** Puts back what was `kept`. */
  put(kept) {
    const { peers, deleted, blocked } = copied(kept);
    this.#peers = peers;
    this.#deleted = deleted;
    this.#blocked = blocked;
  }

  blockAsIn(other) {
    this.#blocked = new Set(other.#blocked);
  }

  #with(peer) {
    if (!this.#peers.has(peer)) this.#peers.set(peer, new Map());
    return this.#peers.get(peer);
  }

  /** Throws the reason why `by` cannot say this in the conversation with `peer`. */
  check(peer, by, content) {
    const known = this.#with(peer);
    const find = (id) => {
      const message = known.get(id);
      if (message === undefined) throw new Problem('unknown-message', `no message ${id} in this conversation`);
      return message;
    };
    switch (content.kind) {
      case 'reaction': {
        const bytes = Buffer.byteLength(content.emoji);
        if (bytes === 0) throw new Problem('malformed', 'an empty reaction');
        if (bytes > LONGEST_EMOJI_BYTES) throw new Problem('too-large', `a reaction of ${bytes} bytes`);
        const message = find(content.of);
        if (message.by === by) throw new Problem('not-permitted', 'a reaction to one\'s own message');
        const same = message.reaction === content.emoji;
        if (same && !content.remove) throw new Problem('duplicate', 'the same reaction again');
        if (!same && content.remove) throw new Problem('unknown-message', 'no such reaction to take back');
        return;
      }
      case 'edit':
        if (find(content.of).isFile) throw new Problem('not-permitted', 'a file has no text to edit');
        this.#requireMayChange(find(content.of), by, EDIT_WITHIN_MS);
        return;
      case 'delete':
        this.#requireMayChange(find(content.of), by, DELETE_WITHIN_MS);
        return;
      case 'read':
        if (content.of.length === 0) throw new Problem('malformed', 'a read receipt for nothing');
        for (const id of content.of) {
          if (find(id).by === by) throw new Problem('unknown-message', `message ${id} is not one that was received`);
        }
        return;
      default:
    }
  }

  #requireMayChange(message, by, within) {
    if (message.by !== by) throw new Problem('not-permitted', 'a message of somebody else');
    if (this.clock() - message.at > within) throw new Problem('too-late', `more than ${within} ms ago`);
  }

  /** Throws the reason why this is not shown; else it is part of the conversation. */
  receive(peer, id, content) {
    try {
      this.check(peer, 'peer', content);
    } catch (error) {
      if (!(error instanceof Problem) || !this.#letsPass(error.reason, content)) throw error;
    }
    if (content.kind === 'delete') this.#deleted.add(content.of);
    this.take(peer, 'peer', id, content);
  }

  // Only for defects.
  #letsPass(reason, { kind, of }) {
    switch (reason) {
      case 'unknown-message':
        if (kind === 'delete' && this.#deleted.has(of)) return defect('shows-repeated-delete');
        return kind !== 'read' && defect('shows-for-unknown-message');
      case 'not-permitted':
        return defect(kind === 'reaction' ? 'shows-self-reaction' : 'lets-anybody-change');
      case 'too-late':
        return kind === 'edit' && defect('edits-without-end');
      case 'too-large':
        return kind === 'reaction' && defect('takes-any-reaction');
      default:
        return false;
    }
  }

  /** Takes in what was shown or sent. */
  take(peer, by, id, content) {
    const known = this.#with(peer);
    if (STANDS.has(content.kind)) {
      if (!known.has(id)) known.set(id, { by, isFile: content.kind === 'media', at: this.clock(), reaction: null });
    } else if (content.kind === 'reaction') {
      const message = known.get(content.of);
      if (message !== undefined) message.reaction = content.remove ? null : content.emoji;
    } else if (content.kind === 'delete') {
      known.delete(content.of);
    }
  }

  /** A message is noted before it goes out, since the answer may come at once; what is said of one, once the gateway took it. */
  sending(peer, id, content) {
    if (STANDS.has(content.kind)) this.take(peer, 'own', id, content);
  }

  sent(peer, id, content) {
    if (!STANDS.has(content.kind)) this.take(peer, 'own', id, content);
  }

  unsent(peer, id) {
    this.#with(peer).delete(id);
  }

  hasBlocked(peer) {
    return this.#blocked.has(peer);
  }

  /** The list as it will be; `commit` makes it so. */
  withBlocked(peer, blocked) {
    const list = new Set(this.#blocked);
    if (blocked) list.add(peer);
    else list.delete(peer);
    return { users: [...list], commit: () => { this.#blocked = list; } };
  }
}
