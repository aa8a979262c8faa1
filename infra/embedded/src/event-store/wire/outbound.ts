import type { ServerWritableStream } from '@grpc/grpc-js';

export type ReadCall<Request> = ServerWritableStream<Request, Buffer>;

/** The sending side of a read call. */
export type Outbound = {
  readonly closed: boolean;
  /** Sends, and returns what to wait for before the next send if the client does not keep up. */
  send(response: Buffer): Promise<void> | undefined;
  end(): void;
  fail(error: Error): void;
  onClose(listener: () => void): void;
};

export function createOutbound<Request>(call: ReadCall<Request>): Outbound {
  let closed = false;
  let resume: (() => void) | undefined;
  const listeners: (() => void)[] = [];
  const drained = (): void => {
    resume?.();
    resume = undefined;
  };
  const close = (): void => {
    if (closed) return;
    closed = true;
    drained();
    for (const listener of listeners) listener();
  };
  call.on('drain', drained);
  call.on('cancelled', close);

  return {
    get closed() {
      return closed;
    },
    send(response) {
      if (closed || call.write(response)) return undefined;
      return new Promise((resolve) => {
        resume = resolve;
      });
    },
    end() {
      if (!closed) call.end();
      close();
    },
    fail(error) {
      if (!closed) call.emit('error', error);
      close();
    },
    onClose(listener) {
      listeners.push(listener);
    },
  };
}
