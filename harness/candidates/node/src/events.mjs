// What a user saw, and what the client refused to show: numbered from 1, read from a cursor.

const MOST_AT_ONCE = 256;

export class Events {
  #entries = [];
  #waiting = new Set();
  #ended = false;

  get count() {
    return this.#entries.length;
  }

  kept() {
    return [...this.#entries];
  }

  /** Puts a log back as it was; numbers go on from there. */
  put(kept) {
    this.#entries = [...kept];
  }

  message(message, from, content) {
    return this.#add({ kind: 'message', message, from, content });
  }

  receipt(from, message) {
    return this.#add({ kind: 'receipt', from, of: [message] });
  }

  notice(notice, about) {
    return this.#add({ kind: 'notice', notice, about });
  }

  refused(stanza, reason) {
    return this.#add({ kind: 'refused', stanza, reason });
  }

  /** Shows an entry once more: for a defect only. */
  again(what) {
    return this.#add(what);
  }

  #add(what) {
    this.#entries.push({ seq: this.#entries.length + 1, what });
    this.#wake();
    return what;
  }

  /** Entries after the cursor; waits for the first one, for `waitMs` at most. */
  async after(cursor, waitMs) {
    if (cursor >= this.#entries.length && waitMs > 0 && !this.#ended) await this.#next(cursor, waitMs);
    return this.#entries.slice(cursor, cursor + MOST_AT_ONCE);
  }

  #next(cursor, waitMs) {
    return new Promise((resolve) => {
      const waiter = () => {
        if (this.#entries.length <= cursor && !this.#ended) return;
        this.#waiting.delete(waiter);
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(waiter);
        resolve();
      }, waitMs);
      this.#waiting.add(waiter);
    });
  }

  #wake() {
    for (const waiter of [...this.#waiting]) waiter();
  }

  /** Answers all who wait: the user or the instance is gone. */
  end() {
    this.#ended = true;
    this.#wake();
  }
}
