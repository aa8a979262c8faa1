import { parseArgs } from 'node:util';
import { StartError } from '@privatelink/embedded/start-error';
import { openFactFeed } from '../support/fact-feed.ts';
import { hasNamespaces } from '../support/traffic/vpc-networks.ts';
import { startTxtServer } from '../support/txt-server.ts';
import { startWorld } from '../support/world.ts';
import { crossRegion } from './cross-region.ts';
import { customName } from './custom-name.ts';
import { explain } from './explain.ts';
import { gatewayLoadBalancer } from './gateway-load-balancer.ts';
import { lifecycle } from './lifecycle.ts';
import { createNarrator } from './narrator.ts';
import { overdue } from './overdue.ts';
import { policy } from './policy.ts';
import { reverse } from './reverse.ts';
import { Difference, playOn, type Story } from './story.ts';
import { timeTravel } from './time-travel.ts';
import { traffic } from './traffic.ts';
import { zones } from './zones.ts';

const stories: readonly Story[] = [
  lifecycle,
  overdue,
  zones,
  crossRegion,
  policy,
  explain,
  timeTravel,
  gatewayLoadBalancer,
  reverse,
  customName,
  traffic,
];

/** As sysexits.h has it: something that is needed is not there. */
const EX_UNAVAILABLE = 69;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    connections: { type: 'string', default: '1000' },
  },
});

const connections = Number(values.connections);
if (!Number.isInteger(connections) || connections < 2) {
  console.error('--connections is a whole number, at least 2');
  process.exit(2);
}

const interrupted = new AbortController();
// More than once: npm passes ctrl-C on to whom the terminal has told it already.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => interrupted.abort());

/** Nobody may ask for nothing to be forwarded and see traffic. */
const isForwardingOff = process.env['PRIVATELINK_FORWARDING'] === 'none';

const reasonNotToPlay = ({ name, forwarding }: Story): string | undefined => {
  if (forwarding !== 'namespaces') return undefined;
  if (!hasNamespaces) return `${name} needs network namespaces: only root on Linux has them`;
  return isForwardingOff ? `${name} needs HAProxy, but PRIVATELINK_FORWARDING is none` : undefined;
};

/** Plays a story on a system of its own, and says with the exit code whether it went as told. */
const play = async (story: Story): Promise<number> => {
  const narrator = createNarrator(values.json);
  const { signal } = interrupted;
  narrator.title(`${story.name}: ${story.about}`);
  const forwarding = isForwardingOff ? 'none' : story.forwarding;
  const txt = await startTxtServer();
  try {
    const env = { PRIVATELINK_TXT_RESOLVERS: txt.address };
    const world = await startWorld({ forwarding, signal, env });
    try {
      const feed = await openFactFeed(world.system.run);
      // Whoever waits for the next fact then takes down what he has made.
      signal.addEventListener('abort', () => void feed.close());
      if (signal.aborted) await feed.close();
      await playOn({ run: world.system.run, feed, narrator, txt, connections }, story).finally(() => feed.close());
    } finally {
      await world.stop();
    }
    narrator.title('It went as told.');
    return 0;
  } catch (error) {
    if (signal.aborted) return 130;
    const isPlain = error instanceof Difference || error instanceof StartError;
    process.stderr.write(`${isPlain ? error.message : error instanceof Error ? error.stack : error}\n`);
    return 1;
  } finally {
    await txt.close();
  }
};

if (values.list) {
  const width = Math.max(...stories.map(({ name }) => name.length));
  for (const { name, about } of stories) console.log(`${name.padEnd(width)}  ${about}`);
} else {
  const [wanted = 'lifecycle'] = positionals;
  const chosen = stories.filter(({ name }) => name === wanted || wanted === 'all');
  if (chosen.length === 0) {
    console.error(`there is no story ${wanted}; see --list`);
    process.exitCode = 2;
  }
  // Of all, those that cannot be played here are named and left out.
  for (const story of chosen) {
    const objection = reasonNotToPlay(story);
    if (objection) console.error(objection);
    const code = objection ? EX_UNAVAILABLE : await play(story);
    if (!objection || wanted !== 'all') process.exitCode = code;
    if (!objection && code !== 0) break;
  }
}
