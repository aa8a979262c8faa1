/** The part of a logger the server needs. */
export type ServerLog = Record<'debug' | 'warn' | 'error', (fields: object, message: string) => void>;
