/** What is wrong with a filter, and where. */
export class InvalidFilter extends Error {
  override readonly name = 'InvalidFilter';
  readonly at: number;

  /** @param at counted from 1 */
  constructor(at: number, description: string) {
    super(description);
    this.at = at;
  }
}
