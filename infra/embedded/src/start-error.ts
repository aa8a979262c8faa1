/** Something the person who started the system can mend: shown as one line, without a stack. */
export class StartError extends Error {
  override name = 'StartError';
}
