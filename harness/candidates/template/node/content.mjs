// The plaintext of a message: the protobuf of `contract/content.proto`, written out by hand, and its padding. A protobuf library
// does the first part as well.
import { Problem, encode, isUuid } from './contract.mjs';

export const BLOCK = 160;
const LARGEST = 128 * 1024;
const KINDS = ['image', 'video', 'voice', 'file'];

// Field numbers of `Content`, and of the messages inside: member, and the type of the field.
const BODIES = new Map([
  [10, ['text', ['text', 'string']]],
  [11, ['attachment', ['kind', 'number'], ['url', 'string'], ['key', 'bytes'], ['digest', 'bytes'], ['length', 'number'], ['mime', 'string'], ['name', 'string']]],
  [12, ['reaction', ['of', 'string'], ['emoji', 'string'], ['remove', 'flag']]],
  [13, ['reply', ['of', 'string'], ['text', 'string']]],
  [14, ['edit', ['of', 'string'], ['text', 'string']]],
  [15, ['delete', ['of', 'string']]],
  [16, ['typing', ['active', 'flag']]],
  [17, ['read', ['of', 'list']]],
]);
const EMPTY = { string: () => '', number: () => 0, bytes: () => Buffer.alloc(0), flag: () => false, list: () => [] };

export function pad(content) {
  const padded = Buffer.alloc(Math.ceil((content.length + 1) / BLOCK) * BLOCK);
  padded.set(content);
  padded[content.length] = 0x80;
  return padded;
}

export function unpad(padded) {
  let end = padded.length - 1;
  while (end >= 0 && padded[end] === 0) end -= 1;
  // More zeros than the block needs would be a second way to write the same content.
  const right = padded.length % BLOCK === 0 && padded[end] === 0x80 && padded.length - end <= BLOCK;
  if (!right) throw new Problem('bad-padding', `${padded.length} bytes that are not padded by the rule`);
  return padded.subarray(0, end);
}

/** The padded plaintext of what a user sends; `attachment` describes the uploaded file, if it is one. */
export function write(message, sentAt, content, attachment) {
  const name = content.kind === 'media' ? 'attachment' : content.kind;
  const [number, [, ...fields]] = [...BODIES].find(([, [body]]) => body === name);
  const values = attachment ?? content;
  const body = Buffer.concat(fields.map(([member], i) => field(i + 1, values[member])));
  const encoded = Buffer.concat([field(1, message), field(2, sentAt), varint(number * 8 + 2), varint(body.length), body]);
  if (encoded.length > LARGEST) throw new Problem('too-large', `a content of ${encoded.length} bytes`);
  return pad(encoded);
}

/** The message id, what the user is to see, and the attachment that must be fetched before, if it is a file. */
export function read(padded) {
  const plain = unpad(padded);
  if (plain.length > LARGEST) throw new Problem('too-large', `a content of ${plain.length} bytes`);
  try {
    return parsed(plain);
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new Problem('malformed', `not a content: ${error.message}`);
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function parsed(plain) {
  let message = null;
  let body = null;
  for (const [number, value] of members(plain)) {
    if (number === 1) message = utf8.decode(value);
    else if (BODIES.has(number)) {
      if (body !== null || !Buffer.isBuffer(value)) throw new Problem('malformed', 'more than one body, or one that is none');
      body = [number, value];
    }
  }
  if (!isUuid(message) || body === null) throw new Problem('malformed', 'no message id, or no body');
  const [kind, ...fields] = BODIES.get(body[0]);
  const shown = Object.fromEntries(fields.map(([member, type]) => [member, EMPTY[type]()]));
  for (const [number, value] of members(body[1])) {
    if (number > fields.length) continue;
    const [member, type] = fields[number - 1];
    if (Buffer.isBuffer(value) !== ['string', 'bytes', 'list'].includes(type)) throw new Problem('malformed', `${member} has another type`);
    if (type === 'list') shown[member].push(utf8.decode(value));
    else shown[member] = { string: () => utf8.decode(value), number: () => value, bytes: () => value, flag: () => value !== 0 }[type]();
  }
  if (![shown.of ?? []].flat().every(isUuid)) throw new Problem('malformed', 'a reference that is not a UUID');
  if (kind === 'attachment') {
    const known = KINDS[shown.kind - 1];
    if (known === undefined || /[/\\\0]/.test(shown.name)) throw new Problem('malformed', 'an attachment of unknown kind, or with a path for a name');
    return { message: message.toLowerCase(), shown: null, attachment: { ...shown, kind: known } };
  }
  return { message: message.toLowerCase(), shown: { kind, ...shown }, attachment: null };
}

/** What a content says of an uploaded file. */
export function attachment(content, url, key, digest) {
  return { kind: KINDS.indexOf(content.media) + 1, url, key, digest, length: content.file.length, mime: content.mime, name: content.name };
}

/** What the user sees of a file. */
export function seenFile(attachment, sha256) {
  const { kind, mime, name, length } = attachment;
  return { kind: 'media', media: kind, mime, name, file: { sha256: encode(sha256), length } };
}

// Protobuf: a varint has wire type 0, bytes have 2. A value of zero or nothing is left out.

function varint(value) {
  const bytes = [];
  for (; value > 0x7f; value = Math.floor(value / 128)) bytes.push((value % 128) + 128);
  return Buffer.from([...bytes, value]);
}

function field(number, value) {
  if (Array.isArray(value)) return Buffer.concat(value.map((entry) => bytesField(number, Buffer.from(entry))));
  if (typeof value === 'number' || typeof value === 'boolean') {
    return value ? Buffer.concat([varint(number * 8), varint(Number(value))]) : Buffer.alloc(0);
  }
  const bytes = Buffer.from(value);
  return bytes.length > 0 ? bytesField(number, bytes) : bytes;
}

const bytesField = (number, bytes) => Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);

function* members(bytes) {
  let at = 0;
  const number = () => {
    let value = 0;
    for (let i = 0; i < 10; i += 1) {
      if (at >= bytes.length) throw new Error('cut off');
      const byte = bytes[at];
      at += 1;
      value += (byte & 0x7f) * 128 ** i;
      if (byte < 0x80) return value;
    }
    throw new Error('a varint of more than 10 bytes');
  };
  while (at < bytes.length) {
    const key = number();
    const type = key % 8;
    if (type === 0) {
      yield [Math.floor(key / 8), number()];
      continue;
    }
    const length = { 1: () => 8, 2: number, 5: () => 4 }[type]?.();
    if (length === undefined || at + length > bytes.length) throw new Error('cut off, or of an unknown wire type');
    yield [Math.floor(key / 8), Buffer.from(bytes.subarray(at, at + length))];
    at += length;
  }
}
