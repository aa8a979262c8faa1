import { HealthImplementation } from 'grpc-health-check';

export type Health = Readonly<{
  addToServer: HealthImplementation['addToServer'];
  /** Of the server as a whole and of each of its services. */
  setServing: (serving: boolean) => void;
}>;

/** grpc.health.v1 of the server ('') and of the services named. Not serving until it is told. */
export const createHealth = (services: readonly string[]): Health => {
  const names = ['', ...services];
  const health = new HealthImplementation(Object.fromEntries(names.map((name) => [name, 'NOT_SERVING'])));
  return {
    addToServer: (server) => health.addToServer(server),
    setServing: (serving) => {
      for (const name of names) health.setStatus(name, serving ? 'SERVING' : 'NOT_SERVING');
    },
  };
};
