import { fromBinary, type JsonObject, toJson } from '@bufbuild/protobuf';
import { registry } from '@privatelink/shared/grpc/json-call';

/** A message of the contract as the services' own answers are written. */
export const jsonOf = (type: string, bytes: Uint8Array): JsonObject => {
  const schema = registry.getMessage(type);
  if (!schema) throw new Error(`the contract has no ${type}`);
  return toJson(schema, fromBinary(schema, bytes), { registry, alwaysEmitImplicit: true }) as JsonObject;
};
