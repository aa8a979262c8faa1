import { Unavailable } from '../app/errors.ts';

/** The server is not there, is starting or stopping, or the connection to it broke. */
const AWAY = /^(08...|57P0[123]|53300|ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT)$/;
const AWAY_MESSAGE = /Connection terminated|connection timeout|timeout exceeded when trying to connect/i;

const isAway = (error: unknown): boolean => {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return AWAY.test(code) || AWAY_MESSAGE.test(error.message);
};

/** A read that fails because the database is away is nobody's mistake: it may be asked again. */
export const orUnavailable = async <T>(read: Promise<T>): Promise<T> => {
  try {
    return await read;
  } catch (cause) {
    if (!isAway(cause)) throw cause;
    throw new Unavailable('READ_MODELS_UNAVAILABLE', 'the database of the read models does not answer', { cause });
  }
};
