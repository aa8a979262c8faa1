import { createHmac, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { StartupError } from '../runtime/startup-error.ts';

const MIN_SECRET_BYTES = 32;
const MAX_TOKEN_LENGTH = 4_096;

/** The secret by which every instance of every service knows the tokens that another one gave out. */
export const readTokenSecret = (path: string): Buffer => {
  try {
    const secret = readFileSync(path);
    if (secret.length >= MIN_SECRET_BYTES) return secret;
  } catch (cause) {
    throw new StartupError(`cannot read the token secret in ${path}: ${cause}`, { cause });
  }
  throw new StartupError(`the token secret in ${path} is shorter than ${MIN_SECRET_BYTES} bytes`);
};

/** A value that callers carry for us and cannot change. It is valid only where `context` is the same again. */
export const seal = (secret: Buffer, context: readonly string[], value: string): string =>
  Buffer.concat([mac(secret, context, value), Buffer.from(value)]).toString('base64url');

const MAC_BYTES = 32;

/** Undefined for what we did not give out, or not in this context. */
export const open = (secret: Buffer, context: readonly string[], token: string): string | undefined => {
  if (token.length > MAX_TOKEN_LENGTH) return undefined;
  const bytes = Buffer.from(token, 'base64url');
  // Decoding forgives what it does not know; one value has one token.
  if (bytes.length < MAC_BYTES || bytes.toString('base64url') !== token) return undefined;
  const value = bytes.subarray(MAC_BYTES).toString();
  return timingSafeEqual(bytes.subarray(0, MAC_BYTES), mac(secret, context, value)) ? value : undefined;
};

const mac = (secret: Buffer, context: readonly string[], value: string): Buffer =>
  createHmac('sha256', secret)
    .update(JSON.stringify([...context, value]))
    .digest();
