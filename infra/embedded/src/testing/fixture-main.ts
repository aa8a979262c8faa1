// `main.ts` with stand-ins for the services and agents, so that the whole command can be tested without them.
import { fileURLToPath } from 'node:url';
import { runMain } from '../run-main.ts';
import { agentName } from '../service-names.ts';

const fixture = (name: string): string => fileURLToPath(new URL(`./fixture-${name}.ts`, import.meta.url));

await runMain({ dashboard: false, mainOf: (name) => fixture(name === agentName ? 'agent' : 'service') });
