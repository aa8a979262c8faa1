import { type DescField, type DescMessage, ScalarType } from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import fc from 'fast-check';
import { registry } from '../grpc/json-call.ts';

type Value = string | boolean | number | bigint | Uint8Array;
type Written = Readonly<{ field: DescField; value: Value }>;

const AWKWARD = [
  '',
  ' ',
  '\0',
  'a\0b',
  '*',
  '-',
  '.',
  '../..',
  '__proto__',
  'constructor',
  "'; drop table x; --",
  '😀',
];
const PLAUSIBLE = ['cn-hangzhou-h', '10.0.0.0/16', '10.0.1.0/24', '10.0.0.9', '::1', 'fd00::/48', 'tcp', 'user:x', 'A'];
const MAX_DEPTH = 4;

/**
 * Requests of the right type and with nothing else right about them, as bytes.
 *
 * @param method full name, `privatelink.provider.v1.ProviderService/GetEndpointService`
 * @param known texts that mean something to the service, such as ids, so that some requests get further
 */
export const garbageFor = (method: string, known: readonly string[]): fc.Arbitrary<Buffer> =>
  message(inputOf(method), textOf(known), 0).map((bytes) => Buffer.from(bytes));

/** One field only; nothing of a message that has none. Behind the bytes of a right request it takes the place of what that one says there. */
export const garbageFieldFor = (method: string, known: readonly string[]): fc.Arbitrary<Buffer> => {
  const { fields } = inputOf(method);
  if (fields.length === 0) return fc.constant(Buffer.alloc(0));
  return fc
    .constantFrom(...fields)
    .chain((field) => valueFor(field, textOf(known), 0).map((value) => encode([{ field, value }])))
    .map((bytes) => Buffer.from(bytes));
};

const inputOf = (method: string): DescMessage => {
  const [service = '', name = ''] = method.split('/');
  const found = registry.getService(service)?.methods.find((candidate) => candidate.name === name);
  if (!found) throw new Error(`there is no ${method}`);
  return found.input;
};

const textOf = (known: readonly string[]): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...known, ...PLAUSIBLE) },
    { weight: 2, arbitrary: fc.constantFrom(...AWKWARD) },
    { weight: 2, arbitrary: fc.string({ unit: 'grapheme', maxLength: 80 }) },
    { weight: 1, arbitrary: fc.nat(20_000).map((length) => 'x'.repeat(length)) },
  );

const message = (type: DescMessage, text: fc.Arbitrary<string>, depth: number): fc.Arbitrary<Uint8Array> => {
  const fields = type.fields.map((field) => {
    const most = depth >= MAX_DEPTH ? 0 : field.fieldKind === 'list' ? 12 : 1;
    return fc.array(
      valueFor(field, text, depth).map((value) => ({ field, value })),
      { maxLength: most, size: 'max' },
    );
  });
  return fc.tuple(...fields).map((written) => encode(written.flat()));
};

const valueFor = (field: DescField, text: fc.Arbitrary<string>, depth: number): fc.Arbitrary<Value> => {
  if (field.enum) return fc.oneof(fc.nat(9), fc.constantFrom(-1, 2 ** 31 - 1));
  if (field.message)
    return depth >= MAX_DEPTH ? fc.constant(new Uint8Array()) : message(field.message, text, depth + 1);
  switch (field.scalar) {
    case ScalarType.STRING:
      return text;
    case ScalarType.BOOL:
      return fc.boolean();
    case ScalarType.UINT64:
      return fc.oneof(fc.bigInt(0n, 9n), fc.constantFrom(2n ** 53n, 2n ** 63n, 2n ** 64n - 1n));
    case ScalarType.UINT32:
      return fc.oneof(fc.nat(70_000), fc.constant(2 ** 32 - 1));
    case ScalarType.INT32:
      return fc.oneof(fc.integer({ min: -9, max: 9 }), fc.constantFrom(-(2 ** 31), 2 ** 31 - 1));
    case ScalarType.INT64:
      return fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n);
    default:
      throw new Error(`${field}: no garbage for a field of this type yet`);
  }
};

const encode = (written: readonly Written[]): Uint8Array => {
  const writer = new BinaryWriter();
  for (const { field, value } of written) {
    const isBytes = typeof value === 'string' || value instanceof Uint8Array;
    writer.tag(field.number, isBytes ? WireType.LengthDelimited : WireType.Varint);
    if (typeof value === 'string') writer.string(value);
    else if (value instanceof Uint8Array) writer.bytes(value);
    else if (typeof value === 'boolean') writer.bool(value);
    else if (typeof value === 'bigint') value < 0n ? writer.int64(value) : writer.uint64(value);
    else if (value < 0) writer.int32(value);
    else writer.uint32(value);
  }
  return writer.finish();
};
