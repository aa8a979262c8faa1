/** Why a benchmark ended without a result, in one line. */
export class BenchError extends Error {
  override readonly name = 'BenchError';
  readonly exitCode: number;

  constructor(message: string, exitCode: number) {
    super(message);
    this.exitCode = exitCode;
  }
}
