// The outside of a serialised libsignal message. The library reads messages itself; these fields are read to say *why* it refused
// one, since most of its refusals share one error code, and to check keys before it meets them.
import { protobuf } from './packages.mjs';
import { Problem } from './reasons.mjs';

const MAC_BYTES = 8;
const VARINT = 0;
const BYTES = 2;

// Field number and wire type of what is of interest.
const PREKEY_MESSAGE = { baseKey: [2, BYTES], identityKey: [3, BYTES], message: [4, BYTES], signedPrekeyId: [6, VARINT] };
const MESSAGE = { ratchetKey: [1, BYTES], counter: [2, VARINT], addresses: [6, BYTES] };

function fields(body, names) {
  const wanted = new Map(Object.entries(names).map(([name, [number, type]]) => [number * 8 + type, name]));
  const found = {};
  const reader = new protobuf.Reader(body);
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    const name = wanted.get(tag);
    if (name === undefined) reader.skipType(tag & 7);
    else found[name] = (tag & 7) === VARINT ? reader.uint32() : Buffer.from(reader.bytes());
  }
  return found;
}

function checkVersion(bytes, version) {
  if (bytes.length === 0) throw new Problem('malformed', 'an empty message');
  if (bytes[0] >> 4 !== version) throw new Problem('bad-version', `message version ${bytes[0] >> 4}`);
}

function readMessage(bytes, version) {
  checkVersion(bytes, version);
  const message = fields(bytes.subarray(1, Math.max(1, bytes.length - MAC_BYTES)), MESSAGE);
  if (!message.ratchetKey) throw new Problem('malformed', 'no ratchet key');
  return { ...message, counter: message.counter ?? 0 };
}

/** Reads the outside of a message of the given type, `prekey` or `normal`, and of the suite's message version. */
export function readOutside(type, bytes, version) {
  try {
    if (type === 'normal') return readMessage(bytes, version);
    checkVersion(bytes, version);
    const prekey = fields(bytes.subarray(1), PREKEY_MESSAGE);
    if (!prekey.baseKey || !prekey.identityKey || !prekey.message) throw new Problem('malformed', 'not a prekey message');
    return { ...readMessage(prekey.message, version), ...prekey };
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new Problem('malformed', `not a protobuf: ${error.message}`);
  }
}

const serviceId = (uuid) => Buffer.concat([Buffer.from([0]), Buffer.from(uuid.replaceAll('-', ''), 'hex'), Buffer.from([1])]);

/** Whether a message names other parties than these. One that names none could be for anybody. */
export function namesOthers(outside, sender, recipient) {
  const expected = Buffer.concat([serviceId(sender), serviceId(recipient)]);
  return outside.addresses !== undefined && !outside.addresses.equals(expected);
}
