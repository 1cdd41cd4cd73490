// In the place of a Signal library: the right lengths, and nothing but noise inside. It shows that everything around a library
// works, and that noise passes for nothing.
import { randomBytes } from 'node:crypto';
import { Problem } from './contract.mjs';

const ec = () => Buffer.concat([Buffer.from([5]), randomBytes(32)]);

export class Signal {
  #identity = ec();
  #count = 0;

  identityKey() {
    return this.#identity;
  }

  registrationId() {
    return 1;
  }

  newSignedPrekey() {
    return { ...this.newOneTimePrekey(), signature: randomBytes(64) };
  }

  newKyberPrekey() {
    return { ...this.newSignedPrekey(), key: Buffer.concat([Buffer.from([8]), randomBytes(1568)]) };
  }

  newOneTimePrekey() {
    this.#count += 1;
    return { id: this.#count, key: ec() };
  }

  hasSession() {
    return false;
  }

  establish(peer, bundle) {
    return bundle.identity_key;
  }

  encrypt(peer, plaintext) {
    return { type: 'prekey', body: Buffer.concat([Buffer.from([0x44]), randomBytes(plaintext.length)]) };
  }

  decrypt() {
    throw new Problem('bad-mac', 'this is noise');
  }

  safetyNumber() {
    return '0'.repeat(60);
  }

  acceptIdentity() {}
}
