// A Kyber prekey record as the official library stores it. The library makes records only of pairs that it generated itself, and reads
// any: this is how a pair comes back from a store, or in from outside.
// Protobuf `SignedPreKeyRecordStructure`: 1 id, 2 public key, 3 secret key (both with their type byte), 4 signature, 5 time (fixed64).

const [VARINT, FIXED64, BYTES] = [0, 1, 2];

function varint(value) {
  const bytes = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) | 128);
  return Buffer.from([...bytes, value]);
}

const field = (number, type, ...parts) => Buffer.concat([varint(number * 8 + type), ...parts]);
const bytesField = (number, bytes) => field(number, BYTES, varint(bytes.length), bytes);

/** `public` and `private` with their type byte; the time is left at zero. */
export function kyberRecordBytes({ id, public: publicKey, private: secretKey, signature }) {
  return Buffer.concat([
    field(1, VARINT, varint(id)), bytesField(2, publicKey), bytesField(3, secretKey), bytesField(4, signature), field(5, FIXED64, Buffer.alloc(8)),
  ]);
}
