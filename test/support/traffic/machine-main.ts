// Runs in a network namespace, for whoever is outside it: one command a line in, one JSON answer a line out.
import { createInterface } from 'node:readline';
import { startBackend } from './backend.ts';
import { type Flow, localClient } from './client.ts';

export type Command = Readonly<{ id: number }> &
  (
    | Readonly<{ do: 'serve'; zone: string; host: string; port: number; proxyProtocol: boolean }>
    | Readonly<{ do: 'request' | 'open'; address: string }>
    | Readonly<{ do: 'ask' | 'await cut' | 'close'; flow: number }>
  );

const flows = new Map<number, Flow>();

const flowOf = (id: number): Flow => {
  const flow = flows.get(id);
  if (!flow) throw new Error(`there is no flow ${id}`);
  return flow;
};

const carryOut = async (command: Command): Promise<unknown> => {
  switch (command.do) {
    case 'serve':
      return (await startBackend(command)).port;
    case 'request':
      return localClient.request(command.address);
    case 'open': {
      const flow = await localClient.open(command.address);
      flows.set(command.id, flow);
      return flow.first;
    }
    case 'ask':
      return flowOf(command.flow).ask();
    case 'await cut':
      return flowOf(command.flow).cut;
    case 'close':
      return flowOf(command.flow).close();
  }
};

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line) as Command;
  carryOut(command).then(
    (result) => console.log(JSON.stringify({ id: command.id, result })),
    (error) => console.log(JSON.stringify({ id: command.id, error: String(error) })),
  );
}
process.exit();
