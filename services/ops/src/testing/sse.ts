import { http } from '@privatelink/shared/telemetry/metrics';

/** One of the events that a server sent. */
export type Sent = Readonly<{ id: string; event: string; data: string }>;

/** Reads server-sent events until `enough` of them say so, then hangs up. */
export const readEvents = async (
  url: string,
  headers: Readonly<Record<string, string>>,
  enough: (sent: readonly Sent[]) => boolean,
): Promise<readonly Sent[]> => {
  const hangUp = new AbortController();
  const sent: Sent[] = [];
  let text = '';
  try {
    const reply = await fetch(url, { headers: { ...headers, connection: 'close' }, signal: hangUp.signal });
    if (!reply.ok || !reply.body) throw new Error(`${reply.status} ${await reply.text()}`);
    for await (const chunk of reply.body.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      sent.push(...blocks.map(parse));
      if (enough(sent)) break;
    }
  } catch (error) {
    // The server is gone, or goes away: what has come is what has come.
    if (!(error instanceof TypeError)) throw error;
  } finally {
    hangUp.abort();
  }
  return sent;
};

const parse = (block: string): Sent => {
  const fields = new Map(
    block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.replace(/^\w+: ?/, '')]),
  );
  return { id: fields.get('id') ?? '', event: fields.get('event') ?? 'message', data: fields.get('data') ?? '' };
};

/** How many streams the server has open, as it measures them. */
export const openStreams = async (): Promise<number> => (await http.live.get()).values[0]?.value ?? 0;
