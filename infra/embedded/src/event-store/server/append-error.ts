import type { WriteResult } from '../storage/writer.ts';
import type { AppendError } from '../wire/append-responses.ts';

/** What the client is told of a write that was not made. */
export function appendError(stream: string, expected: number, result: WriteResult): AppendError | undefined {
  switch (result.outcome) {
    case 'written':
      return undefined;
    case 'wrongVersion':
      return { kind: 'wrongVersion', expected, current: result.current };
    case 'streamDeleted':
      return { kind: 'streamDeleted', stream };
    case 'timeout':
      return { kind: 'timeout' };
    case 'failed':
      return { kind: 'failed', message: result.message };
  }
}
