import { fromBinary } from '@bufbuild/protobuf';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { type DescriptorProto, type FileDescriptorProto, FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';

/** Finds descriptors, each as the bytes that the compiler wrote: strict clients refuse repackaged ones. */
export type DescriptorIndex = Readonly<{
  hasService: (name: string) => boolean;
  /** The file and all that it imports, itself first. */
  fileByName: (name: string) => readonly Uint8Array[] | undefined;
  fileBySymbol: (symbol: string) => readonly Uint8Array[] | undefined;
}>;

type File = Readonly<{ bytes: Uint8Array; descriptor: FileDescriptorProto }>;

export const indexDescriptors = (image: Uint8Array): DescriptorIndex => {
  const files = new Map<string, File>();
  const fileOfSymbol = new Map<string, string>();
  const services = new Set<string>();
  for (const bytes of splitImage(image)) {
    const descriptor = fromBinary(FileDescriptorProtoSchema, bytes);
    files.set(descriptor.name, { bytes, descriptor });
    for (const symbol of symbolsOf(descriptor)) fileOfSymbol.set(symbol, descriptor.name);
    for (const { name } of descriptor.service) services.add(qualified(descriptor.package, name));
  }

  const closure = (name: string, seen: Set<string>): Uint8Array[] => {
    const file = files.get(name);
    if (!file || seen.has(name)) return [];
    seen.add(name);
    return [file.bytes, ...file.descriptor.dependency.flatMap((imported) => closure(imported, seen))];
  };
  const fileByName = (name: string): readonly Uint8Array[] | undefined =>
    files.has(name) ? closure(name, new Set()) : undefined;

  return {
    hasService: (name) => services.has(name),
    fileByName,
    fileBySymbol: (symbol) => {
      const name = fileOfSymbol.get(symbol);
      return name === undefined ? undefined : fileByName(name);
    },
  };
};

/** A FileDescriptorSet is nothing but files in field 1. */
function* splitImage(image: Uint8Array): Iterable<Uint8Array> {
  const reader = new BinaryReader(image);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 1 && wireType === WireType.LengthDelimited) yield reader.bytes();
    else reader.skip(wireType);
  }
}

function* symbolsOf(file: FileDescriptorProto): Iterable<string> {
  for (const service of file.service) {
    const name = qualified(file.package, service.name);
    yield name;
    for (const method of service.method) yield `${name}.${method.name}`;
  }
  for (const message of file.messageType) yield* symbolsOfMessage(message, file.package);
  for (const enumeration of file.enumType) yield qualified(file.package, enumeration.name);
}

function* symbolsOfMessage(message: DescriptorProto, scope: string): Iterable<string> {
  const name = qualified(scope, message.name);
  yield name;
  for (const nested of message.nestedType) yield* symbolsOfMessage(nested, name);
  for (const enumeration of message.enumType) yield qualified(name, enumeration.name);
}

const qualified = (scope: string, name: string): string => (scope === '' ? name : `${scope}.${name}`);
