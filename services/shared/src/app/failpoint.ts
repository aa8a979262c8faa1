/**
 * Named places where a test run may hold or kill the process, or have it fail, to run things in a chosen order.
 * Without PRIVATELINK_FAILPOINTS, which only a test run may set, a failpoint does nothing.
 */
export type FailpointAction = (name: string) => Promise<void>;

let action: FailpointAction | null = null;

export const setFailpoints = (chosen: FailpointAction | null): void => {
  action = chosen;
};

export const failpoint = async (name: string): Promise<void> => {
  if (action) await action(name);
};
