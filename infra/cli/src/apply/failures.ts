/** What is declared is not well-formed: each problem with its place, and what is allowed. */
export class BadFile extends Error {
  override readonly name = 'BadFile';

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
  }
}

/** What is declared cannot be brought about: all reasons. */
export class Unplannable extends Error {
  override readonly name = 'Unplannable';

  constructor(reasons: readonly string[]) {
    super(reasons.join('\n'));
  }
}

/** A step that did not end well; what came before it is done. */
export class StepFailed extends Error {
  override readonly name = 'StepFailed';
  readonly step: string;

  constructor(step: string, cause: unknown) {
    super(`${step} failed`, { cause });
    this.step = step;
  }
}

/** What was waited for has not come. */
export class StillWaiting extends Error {
  override readonly name = 'StillWaiting';
}
