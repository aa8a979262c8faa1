import { headers as createHeaders, type MsgHdrs } from '@nats-io/transport-node';

export type Headers = Readonly<Record<string, string>>;

/** A line break would end the header: it becomes a space. */
export const toMsgHdrs = (record: Headers): MsgHdrs => {
  const headers = createHeaders();
  for (const [name, value] of Object.entries(record)) headers.append(name, value.replace(/\s+/g, ' '));
  return headers;
};

export const fromMsgHdrs = (headers: MsgHdrs | undefined): Headers =>
  Object.fromEntries((headers?.keys() ?? []).map((name) => [name, headers?.get(name) ?? '']));
