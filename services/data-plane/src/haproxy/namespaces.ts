import { readdir, stat } from 'node:fs/promises';
import { isId } from '@privatelink/shared/grpc/validate';

/** Where `ip netns` and HAProxy have network namespaces by name. */
const DIRECTORY = '/var/run/netns';

/** What tells each of these namespaces from one that had its name before; none for those that do not exist. */
export const identifyNamespaces = async (names: Iterable<string>): Promise<ReadonlyMap<string, string>> => {
  const found = await Promise.all(
    [...new Set(names)].map(async (name) => {
      try {
        return [name, String((await stat(`${DIRECTORY}/${name}`)).ino)] as const;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
        throw error;
      }
    }),
  );
  return new Map(found.filter((entry) => entry !== null));
};

/** Those that may be the network of a VPC. */
export const listNamespaces = async (): Promise<readonly string[]> => {
  const names = await readdir(DIRECTORY).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return names.filter((name) => isId(name, 'vpc'));
};
