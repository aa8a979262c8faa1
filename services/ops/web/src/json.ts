import type { Duration } from '@privatelink/proto/google/protobuf/duration';
import type { Timestamp } from '@privatelink/proto/google/protobuf/timestamp';

/** A message of the contract as it comes in protobuf's JSON: large numbers and times are texts. */
export type Json<T> = T extends bigint
  ? string
  : T extends Timestamp | Duration
    ? string
    : T extends readonly (infer Item)[]
      ? readonly Json<Item>[]
      : T extends object
        ? { readonly [Key in keyof T]: Json<T[Key]> }
        : T;
