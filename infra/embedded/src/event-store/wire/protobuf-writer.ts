/**
 * Writes one protobuf message back to front: when the header of a nested message is written, its length is known.
 * So fields are written in reverse, and the capacity must be an upper bound of the whole.
 */
export type ProtobufWriter = {
  varint(field: number, value: number | bigint): void;
  bytes(field: number, value: Uint8Array): void;
  string(field: number, value: string): void;
  /** Where the next nested message will end; to be handed to `message` after its fields. */
  mark(): number;
  /** Puts the header before everything written since the mark. */
  message(field: number, mark: number): void;
  finish(): Buffer;
};

function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) length++;
  return length;
}

export function createProtobufWriter(capacity: number): ProtobufWriter {
  const buffer = Buffer.allocUnsafe(capacity);
  let at = capacity;

  const number = (value: number): void => {
    const length = varintLength(value);
    at -= length;
    let rest = value;
    for (let i = 0; i < length - 1; i++) {
      buffer[at + i] = (rest % 128) + 128;
      rest = Math.floor(rest / 128);
    }
    buffer[at + length - 1] = rest;
  };
  const big = (value: bigint): void => {
    const groups: number[] = [];
    let rest = BigInt.asUintN(64, value);
    do {
      groups.push(Number(rest & 127n));
      rest >>= 7n;
    } while (rest > 0n);
    groups.forEach((group, index) => {
      buffer[at - groups.length + index] = index < groups.length - 1 ? group + 128 : group;
    });
    at -= groups.length;
  };
  const header = (field: number, length: number): void => {
    number(length);
    number(field * 8 + 2);
  };

  return {
    varint(field, value) {
      if (typeof value === 'number') number(value);
      else big(value);
      number(field * 8);
    },
    bytes(field, value) {
      at -= value.length;
      buffer.set(value, at);
      header(field, value.length);
    },
    string(field, value) {
      const length = Buffer.byteLength(value);
      at -= length;
      buffer.write(value, at);
      header(field, length);
    },
    mark: () => at,
    message: (field, mark) => header(field, mark - at),
    finish: () => buffer.subarray(at),
  };
}
