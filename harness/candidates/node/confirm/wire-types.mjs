// protobufjs reads a known field by the type in its schema, whatever type the bytes state. Ends with 1 if it does something else.
import protobuf from 'protobufjs';

const { root } = protobuf.parse('syntax = "proto3"; message Said { string text = 1; }');
const Said = root.lookupType('Said');
// Field 1, stated to be four bytes of a fixed number (type 5), where the schema has a string: other readers find an unknown field.
const bytes = Uint8Array.of((1 << 3) | 5, 2, 0x68, 0x69);

let read;
try {
  read = Said.decode(bytes).text;
} catch (error) {
  read = error;
}
console.log(`a string under the key of a fixed number is read as: ${read}`);
process.exit(read === 'hi' ? 0 : 1);
