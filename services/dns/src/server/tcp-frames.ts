/**
 * Cuts a TCP stream into messages by their two-byte lengths (RFC 7766 section 8), however it arrives in segments.
 * Each byte is copied at most once, so a sender of one-byte segments costs no more than any other.
 */
export function createFrames(onMessage: (message: Buffer) => void): (chunk: Buffer) => void {
  let firstLengthByte: number | undefined;
  let partial: Buffer | undefined;
  let filled = 0;

  return (chunk) => {
    let at = 0;
    while (at < chunk.length) {
      if (partial) {
        const copied = chunk.copy(partial, filled, at);
        filled += copied;
        at += copied;
        if (filled < partial.length) return;
        const message = partial;
        partial = undefined;
        onMessage(message);
        continue;
      }
      const byte = chunk.readUInt8(at++);
      if (firstLengthByte === undefined) {
        firstLengthByte = byte;
        continue;
      }
      const length = firstLengthByte * 256 + byte;
      firstLengthByte = undefined;
      if (at + length <= chunk.length) {
        onMessage(chunk.subarray(at, at + length));
        at += length;
      } else {
        partial = Buffer.allocUnsafe(length);
        filled = 0;
      }
    }
  };
}
