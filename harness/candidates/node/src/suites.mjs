// What the suites of the contract differ in, for a candidate. A library's half (see `official.mjs`) knows nothing of them.

export const SUITES = {
  'signal-pq': { usesKyber: true, messageVersion: 4 },
  'signal-classic': { usesKyber: false, messageVersion: 3 },
};
