import { createSocket } from 'node:dgram';
import { decode, encode } from 'dns-packet';

/** How a name is answered: its TXT records, each in the parts it is sent in; or no record, no name, no answer. */
export type TxtReply = readonly (readonly string[])[] | 'NODATA' | 'NXDOMAIN' | 'SERVFAIL' | 'REFUSED' | 'silent';

const RCODES = { NXDOMAIN: 3, SERVFAIL: 2, REFUSED: 5 } as const;

/** Somebody's DNS: a server on loopback that has TXT records. Names that it was not told of do not exist. */
export const startTxtServer = async () => {
  const replies = new Map<string, TxtReply>();
  const asked: string[] = [];
  const socket = createSocket('udp4');
  const bound = Promise.withResolvers<void>();
  socket.bind(0, '127.0.0.1', bound.resolve);
  await bound.promise;
  socket.on('message', (packet, from) => {
    const { id = 0, questions = [] } = decode(packet);
    const name = questions[0]?.name.toLowerCase() ?? '';
    asked.push(name);
    const reply = replies.get(name) ?? 'NXDOMAIN';
    if (reply === 'silent') return;
    const texts = typeof reply === 'string' ? [] : reply;
    const flags = 0x0180 | (typeof reply === 'string' && reply !== 'NODATA' ? RCODES[reply] : 0);
    const answers = texts.map((parts) => ({ type: 'TXT' as const, name, ttl: 1, data: [...parts] }));
    socket.send(encode({ type: 'response', id, flags, questions, answers }), from.port, from.address);
  });
  return {
    address: `127.0.0.1:${socket.address().port}`,
    /** Names that were asked for, in order. */
    asked,
    set: (name: string, reply: TxtReply): void => void replies.set(name.toLowerCase(), reply),
    close: (): Promise<void> => new Promise((resolve) => socket.close(() => resolve())),
  };
};
