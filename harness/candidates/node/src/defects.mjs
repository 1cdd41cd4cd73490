// Defects that can be switched on, one at a time, so that the harness can be tested against a broken candidate. Each is consulted
// at the one place where a real team would make the mistake.

export const DEFECTS = {
  'keeps-used-one-time-prekey': 'One-time prekeys stay usable after a message has used them.',
  'no-padding': 'Contents are encrypted without padding.',
  'reuses-media-key': 'One media key serves all files of a user.',
  'skips-media-mac': 'The MAC of a file is not checked.',
  'silent-identity-change': 'A changed identity key is trusted, and the user is not told.',
  'shows-repeated-stanza': 'A stanza that is delivered again is shown again.',
  'plaintext-in-header': 'A preview of what is sent stands in clear beside the encrypted body of its stanza.',
  'convergent-media-key': 'The key of a file is made from its content.',
  'compares-ten-mac-bytes': 'Only the first ten bytes of the MAC of a file are compared.',
  'guesses-media-kind': 'A file is opened as any kind, whichever its keys were derived for.',
  'ignores-appended-bytes': 'What follows the expected end of a download is ignored.',
  'refuses-empty-file': 'An empty file counts as none.',
  'gives-up-broken-download': 'A download for which the connection broke is not made again.',
  'shows-path-in-file-name': 'A file name is shown with the path that the sender put before it.',
  'takes-any-media-type': 'Any text is taken for a media type.',
  'never-refills': 'No new prekeys are published when the gateway says that they have run out.',
};

let active = null;

/** Switches a defect on, or all off with `null`. Throws a RangeError for an id that is not on the list. */
export function selectDefect(id) {
  if (id !== null && !Object.hasOwn(DEFECTS, id)) throw new RangeError(`unknown defect \`${id}\``);
  active = id;
}

/** Whether this defect is on. */
export function defect(id) {
  return active === id;
}

/** The defect that is on, or `null`. */
export function activeDefect() {
  return active;
}
