// The plaintext of a message: the contract's protobuf, and its padding.
import { fileURLToPath } from 'node:url';
import { protobuf } from './packages.mjs';
import { Problem } from './reasons.mjs';
import { defect } from './defects.mjs';
import * as shape from './shape.mjs';

const SCHEMA = fileURLToPath(new URL('../../../contract/proto/content.proto', import.meta.url));
const Content = protobuf.loadSync(SCHEMA).lookupType('countersign.content.v1.Content');
const BODIES = Content.oneofs.body.oneof;

export const PADDING_BLOCK = 160;
export const LARGEST_CONTENT = 128 * 1024;
/** Longest text: what is left of the largest content after ids, time and field headers. */
export const LONGEST_TEXT = LARGEST_CONTENT - 256;

const KINDS = ['image', 'video', 'voice', 'file'];

// The upper tester's form of a content.
export const userContent = shape.tagged({
  text: { text: shape.text },
  media: {
    media: shape.oneOf(...KINDS),
    mime: shape.text,
    name: shape.text,
    file: shape.object({ url: shape.optional(shape.text), sha256: shape.bytes, length: shape.u64 }),
  },
  reaction: { of: shape.uuid, emoji: shape.text, remove: shape.flag },
  reply: { of: shape.uuid, text: shape.text },
  edit: { of: shape.uuid, text: shape.text },
  delete: { of: shape.uuid },
  typing: { active: shape.flag },
  read: { of: shape.list(shape.uuid) },
});

export function pad(content) {
  if (defect('no-padding')) return content;
  const padded = Buffer.alloc(Math.ceil((content.length + 1) / PADDING_BLOCK) * PADDING_BLOCK);
  padded.set(content);
  padded[content.length] = 0x80;
  return padded;
}

export function unpad(padded) {
  let end = padded.length - 1;
  while (end >= 0 && padded[end] === 0) end -= 1;
  // More zeros than the block needs would be a second way to write the same content.
  const right = padded.length % PADDING_BLOCK === 0 && padded[end] === 0x80 && padded.length - end <= PADDING_BLOCK;
  if (!right) throw new Problem('bad-padding', `${padded.length} bytes that are not padded by the rule`);
  return padded.subarray(0, end);
}

/** The padded plaintext of what a user sends; `attachment` describes the uploaded file, if it is one. */
export function write(messageId, sentAt, content, attachment) {
  const encoded = Content.encode({ messageId, sentAt, ...bodyOf(content, attachment) }).finish();
  if (encoded.length > LARGEST_CONTENT) throw new Problem('too-large', `a content of ${encoded.length} bytes`);
  return pad(Buffer.from(encoded));
}

function bodyOf(content, attachment) {
  switch (content.kind) {
    case 'media':
      return { attachment: { ...attachment, kind: KINDS.indexOf(content.media) + 1, mime: content.mime, name: content.name } };
    case 'read':
      return { receipt: { read: content.of } };
    default: {
      const { kind, ...members } = content;
      return { [kind]: members };
    }
  }
}

// protobufjs replaces invalid UTF-8; another text than the one that was sent must not be shown.
class StrictReader extends protobuf.Reader {
  static utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

  string() {
    return StrictReader.utf8.decode(this.bytes());
  }
}

/**
 * Refuses a field that is of another kind on the wire than the schema says. protobufjs reads it as if it were of the right one, and so
 * finds a text where others find none.
 */
function checkKinds(type, bytes) {
  const reader = protobuf.Reader.create(bytes);
  while (reader.pos < reader.len) {
    const key = reader.uint32();
    const field = type.fieldsById[key >>> 3]?.resolve();
    const inside = field?.resolvedType instanceof protobuf.Type;
    const kind = inside ? 2 : field?.resolvedType ? 0 : protobuf.types.basic[field?.type];
    if (field && kind !== (key & 7)) throw new Error(`${field.name} is of kind ${key & 7}`);
    if (inside) checkKinds(field.resolvedType, reader.bytes());
    else reader.skipType(key & 7);
  }
}

/** Reads a padded plaintext: the message id, what the user is to see, and the attachment that must be fetched before, if any. */
export function read(padded) {
  const plain = unpad(padded);
  if (plain.length > LARGEST_CONTENT) throw new Problem('too-large', `a content of ${plain.length} bytes`);
  let content;
  try {
    checkKinds(Content, plain);
    content = Content.decode(new StrictReader(plain));
  } catch (error) {
    throw new Problem('malformed', `not a content: ${error.message}`);
  }
  const set = BODIES.filter((name) => Object.hasOwn(content, name));
  if (set.length !== 1) throw new Problem('malformed', `${set.length} bodies in one content`);
  const messageId = shape.uuid(content.messageId, 'message_id');
  return { messageId, ...seen(set[0], content[set[0]]) };
}

function seen(kind, body) {
  const of = () => shape.uuid(body.of, `${kind}.of`);
  switch (kind) {
    case 'text':
      return { content: { kind, text: body.text } };
    case 'attachment':
      return { content: null, attachment: attachmentOf(body) };
    case 'reaction':
      return { content: { kind, of: of(), emoji: body.emoji, remove: body.remove } };
    case 'reply':
    case 'edit':
      return { content: { kind, of: of(), text: body.text } };
    case 'delete':
      return { content: { kind, of: of() } };
    case 'typing':
      return { content: { kind, active: body.active } };
    default:
      return { content: { kind: 'read', of: body.read.map((id) => shape.uuid(id, 'receipt.read')) } };
  }
}

function attachmentOf(body) {
  const media = KINDS[body.kind - 1];
  if (media === undefined) throw new Problem('malformed', `attachment of unknown kind ${body.kind}`);
  return {
    media,
    mime: defect('takes-any-media-type') ? body.mime : mediaType(body.mime),
    name: fileName(body.name, defect('shows-path-in-file-name')),
    url: body.url,
    key: Buffer.from(body.key),
    digest: Buffer.from(body.digest),
    length: Number(body.length),
  };
}

const LONGEST_NAME = 255;
const SEPARATORS = /[/\\]/;
const UNPRINTABLE = /[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;
const MEDIA_TYPE = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+\/[A-Za-z0-9!#$%&'*+.^_`|~-]+ *(;[ -~]*)?$/;

/** A name by the contract's rule: neither sent nor shown otherwise. */
export function fileName(name, withPath = false) {
  const path = (SEPARATORS.test(name) || name === '.' || name === '..') && !withPath;
  if (path || UNPRINTABLE.test(name) || Buffer.byteLength(name) > LONGEST_NAME) throw new Problem('malformed', 'not a file name');
  return name;
}

/** A media type by the contract's rule. */
export function mediaType(mime) {
  if (mime.length > LONGEST_NAME || !MEDIA_TYPE.test(mime)) throw new Problem('malformed', 'not a media type');
  return mime;
}
