import type { DescMessage } from '@bufbuild/protobuf';
import { status } from '@grpc/grpc-js';
import { RemoteError } from '@privatelink/shared/grpc/remote-error';
import { BadFile, StepFailed, StillWaiting, Unplannable } from './apply/failures.ts';
import { flagOf } from './field-option.ts';

/** What plctl itself says no to. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** A call that did not end well, and how it is repeated; empty for what is no mutation. */
export class CallFailed extends Error {
  override readonly name = 'CallFailed';
  readonly input: DescMessage;
  readonly repeat: string;

  constructor(cause: unknown, input: DescMessage, repeat: string) {
    super('the call failed', { cause });
    this.input = input;
    this.repeat = repeat;
  }
}

/** As sysexits.h has it: the command was used in a wrong way. */
export const EX_USAGE = 64;
const EX_DATAERR = 65;
const EX_SOFTWARE = 70;
export const EX_IOERR = 74;
/** Beyond gRPC's codes and below those of sysexits.h: what is declared is not what there is. */
export const EX_DIFFERENT = 20;

export type Failure = Readonly<{ line: string; exitCode: number }>;

/** One line that says what is wrong and what to do; the exit code is the gRPC code. */
export const failureOf = (error: unknown): Failure => {
  if (error instanceof CallFailed && error.cause instanceof RemoteError) return failureOfCall(error.cause, error);
  if (error instanceof CallFailed) return failureOf(error.cause);
  if (error instanceof StepFailed) {
    const { line, exitCode } = failureOf(error.cause);
    return { line: `${error.step}: ${line}\nWhat came before it is done; apply again goes on from there.`, exitCode };
  }
  if (error instanceof BadFile || error instanceof Unplannable) return { line: error.message, exitCode: EX_DATAERR };
  if (error instanceof StillWaiting) return { line: error.message, exitCode: status.DEADLINE_EXCEEDED };
  if (error instanceof UsageError) return { line: error.message, exitCode: EX_USAGE };
  if (error instanceof RemoteError) return failureOfCall(error);
  return { line: error instanceof Error ? error.message : String(error), exitCode: EX_SOFTWARE };
};

const failureOfCall = (error: RemoteError, asked?: Pick<CallFailed, 'input' | 'repeat'>): Failure => {
  const { code, reason, message, facts, violations } = error;
  const fields = violations.map(({ field, description }) => `${optionOf(field, asked?.input)} ${description}`);
  const known = Object.entries(facts).filter(([name, value]) => !message.includes(value) && name !== 'field');
  const parts = [
    `${status[code] ?? code}${reason && reason !== status[code] ? ` ${reason}` : ''}:`,
    fields.length > 0 ? fields.join('; ') : message,
    ...(known.length > 0 ? [`(${known.map(([name, value]) => `${name} ${value}`).join(', ')})`] : []),
  ];
  const again = asked?.repeat && UNCERTAIN.includes(code) ? `It may have been done: repeat it ${asked.repeat}.` : '';
  const advice = [ADVICE[code], again].filter(Boolean).join(' ');
  return { line: `${parts.join(' ')}${advice ? `\n${advice}` : ''}`, exitCode: code };
};

/** A field of a request as it is given here; a path into one as the contract has it. */
const optionOf = (field: string, input: DescMessage | undefined): string => {
  const known = input?.fields.find(({ name }) => name === field);
  return known ? flagOf(known) : field;
};

/** Nobody knows what has become of the request. */
const UNCERTAIN: readonly number[] = [status.CANCELLED, status.UNKNOWN, status.DEADLINE_EXCEEDED, status.UNAVAILABLE];

const ADVICE: Readonly<Record<number, string>> = {
  [status.UNAUTHENTICATED]:
    'Give a token: PLCTL_TOKEN or a profile; or --account and --role, with the development key; see plctl token create --help.',
  [status.PERMISSION_DENIED]: 'The role of your token may not do this; say another --role.',
  [status.UNAVAILABLE]: 'Is the system running? npm start; plctl doctor says what is wrong.',
  [status.ABORTED]: 'Read it again, and repeat the command with its revision.',
};
