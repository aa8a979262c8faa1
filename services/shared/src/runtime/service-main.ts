import { loadConfig, type ServiceConfig, serviceConfig } from './config.ts';
import { type Foundation, type FoundationOptions, openFoundation } from './foundation.ts';
import { runService, type Service } from './lifecycle.ts';

type Start = (config: ServiceConfig, foundation: Foundation, service: Service) => Promise<void>;

/** What a service is: all that it constructs, on a foundation that somebody gives it. A simulation gives another one. */
export type ServiceMain = FoundationOptions & Readonly<{ start: Start }>;

export const defineService = (options: FoundationOptions, start: Start): ServiceMain => ({ ...options, start });

/** Runs a service as this process. */
export const runMain = ({ start, ...options }: ServiceMain): Promise<void> =>
  runService(options.name, async (service) => {
    const config = loadConfig(serviceConfig, process.env);
    await start(config, await openFoundation(service, config, options), service);
  });
