/**
 * An expected no of a rule.
 *
 * @param reason UPPER_SNAKE, public API: never renamed
 * @param facts every variable of the message, as ErrorInfo metadata
 */
export class Rejected<R extends string = string> extends Error {
  override readonly name = 'Rejected';
  readonly reason: R;
  readonly facts: Readonly<Record<string, string>>;

  constructor(reason: R, facts: Readonly<Record<string, string>> = {}) {
    super(`${reason} ${JSON.stringify(facts)}`);
    this.reason = reason;
    this.facts = facts;
  }
}
