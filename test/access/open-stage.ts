import { startWorld, type World } from '../support/world.ts';
import { type Callers, openCallers } from './callers.ts';
import { rpcOf, rpcs } from './rpcs.ts';
import { type Scene, setScene, type Tokens } from './scene.ts';

export type OpenStage = Readonly<{ world: World; callers: Callers; scene: Scene; close: () => Promise<void> }>;

/** A running system with the scene set, and everybody who may or may not do something on it. */
export const openStage = async (): Promise<OpenStage> => {
  const world = await startWorld();
  try {
    const { run } = world.system;
    const callers = await openCallers(run);
    const scene = await setScene(run);
    const close = async (): Promise<void> => {
      callers.close();
      await world.stop();
    };
    const tokens = { lists: await firstPages(callers, scene), resumeToken: await firstResumeToken(callers) };
    return { world, callers, scene: { ...scene, ...tokens }, close };
  } catch (error) {
    await world.stop();
    throw error;
  }
};

const firstResumeToken = async (callers: Callers): Promise<string> => {
  const rpc = rpcOf('events.watchEvents');
  const { responses } = await callers.as('owner', rpc.service).caller.call(rpc, {});
  return (responses[0] as { resumeToken?: string })?.resumeToken ?? '';
};

const OF_A_SERVICE = ['provider.listServiceUsers', 'provider.listResources'];

/** Of each list, its owner's first page of one, with the tokens that came with it. */
const firstPages = async (callers: Callers, scene: Omit<Scene, Tokens>): Promise<Scene['lists']> => {
  const lists: Record<string, Scene['lists'][string]> = {};
  for (const rpc of rpcs) {
    // Dead letters are nobody's.
    if (!rpc.fields.includes('pageToken') || rpc.title === 'operations.listDeadLetters') continue;
    const request = {
      ...(OF_A_SERVICE.includes(rpc.title) && { serviceId: scene.serviceId }),
      ...(rpc.title === 'broker.listConnectionEvents' && { connectionId: scene.endpointId }),
    };
    const { responses } = await callers.as('owner', rpc.service).caller.call(rpc, { ...request, pageSize: 1 });
    const { nextPageToken = '', consistencyToken = '' } = responses[0] as Record<string, string>;
    lists[rpc.title] = { request, pageToken: nextPageToken, consistencyToken };
  }
  return lists;
};
