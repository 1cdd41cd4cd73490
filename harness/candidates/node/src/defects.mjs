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
  'deletes-locally-only': 'A user is deleted here alone: the gateway is never told.',
  'reports-refused-as-sent': 'A message that the gateway refuses since its recipient is unknown counts as sent.',
  'tells-deleted-from-unknown': 'A known peer that the gateway does not know is reported as deleted.',
  'connects-although-un-enlisted': 'Coming online is reported although the gateway has un-enlisted the user.',
  'forgets-old-session-on-fetch': 'A new session overwrites the old one.',
  'deletes-old-last-resort-at-once': 'A replaced last-resort Kyber prekey is deleted at once.',
  'resends-without-end': 'A message is sent again as often as somebody asks.',
  'asks-without-end': 'A message is asked for again each time that it cannot be read.',
  'ignores-message-version': 'Every message is read as one of the own version.',
  'shows-every-resend': 'A message that is sent again is shown again.',
  'drops-unknown-stanzas': 'A stanza of an unknown kind is never acknowledged.',
  'stumbles-over-new-members': 'A stanza with an unknown member is refused.',
  'ignores-reaction-removal': 'A reaction that is taken back is shown as one that is made.',
  'receipt-for-typing': 'The typing indicator is answered with a delivery receipt.',
  'shows-for-unknown-message': 'What refers to an unknown message is shown.',
  'lets-anybody-change': 'Anybody edits or deletes a message who knows its id.',
  'shows-self-reaction': 'A reaction of the sender to a message of its own is shown.',
  'edits-without-end': 'An edit is taken at any time.',
  'shows-repeated-delete': 'A second deletion of one message is shown.',
  'takes-any-reaction': 'The emoji of a reaction may have any length.',
  'receipt-before-examination': 'The delivery receipt is sent when a message was decrypted, before it is examined.',
  'shows-blocked': 'Only the gateway keeps blocked users out.',
  'blocks-locally-only': 'The block list is not sent to the gateway.',
  'tells-blocked': 'Read receipts and the typing indicator go to blocked users too.',
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
