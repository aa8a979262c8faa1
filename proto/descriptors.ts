import { readFileSync } from 'node:fs';

/** All files of the contract as `buf build` wrote them: a serialized google.protobuf.FileDescriptorSet. */
export const readDescriptorImage = (): Uint8Array => readFileSync(new URL('./image.binpb', import.meta.url));
