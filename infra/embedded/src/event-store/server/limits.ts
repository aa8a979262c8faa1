/** KurrentDB's default limit of one append: its events with their names. */
export const maxAppendBytes = 1024 * 1024;

/** The largest message a client may send; an append above its limit but below this gets the typed error. */
export const maxMessageBytes = 16 * 1024 * 1024;

/** Milliseconds that a write may wait, whatever deadline the client gives. */
export const writeTimeout = 10_000;
