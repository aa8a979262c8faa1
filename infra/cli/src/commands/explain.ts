import { Command } from 'commander';
import { call, requestFrom } from '../call.ts';
import { UsageError } from '../failure.ts';
import { type Json, shortValue } from '../field-option.ts';
import { openCall } from '../open-call.ts';
import { type Format, print, type Screen } from '../output/print.ts';
import { wrapped } from '../output/table.ts';
import type { SessionOptions } from '../session.ts';

type Obstacle = Readonly<{
  reason: string;
  what_to_do: string;
  subject: string;
  zone_id?: string;
  message?: string;
}>;

/** Everything that stands between an endpoint, or an account, and a service. */
export const explainCommand = (screen: Screen): Command =>
  new Command('explain')
    .description('What stands between an endpoint, or an account, and a service: all of it, and what removes it.')
    .argument('<who>', 'an endpoint; or the account that would create one, to the service')
    .argument('[service]', 'the name or id of a service')
    .action(async (who: string, service: string | undefined, _, self: Command) => {
      const isEndpoint = who.startsWith('ep-');
      if (isEndpoint === (service !== undefined))
        throw new UsageError('explain takes an endpoint, or an account and a service');
      const options = self.optsWithGlobals<SessionOptions & { output: Format; timeout: number }>();
      const { method, target } = await openCall('broker', 'ExplainReachability', options);
      const asked: Json = isEndpoint ? { endpoint_id: who } : { account_id: who, service: service ?? '' };
      for await (const reply of call(method, requestFrom(method, asked), target)) {
        if (options.output !== 'table') print(options.output, method.output, reply, screen);
        else screen.write(`${linesOf(reply, screen.width).join('\n')}\n`);
      }
    });

const linesOf = (reply: Readonly<Record<string, unknown>>, width: number): readonly string[] => {
  const obstacles = (reply['obstacles'] ?? []) as readonly Obstacle[];
  if (obstacles.length === 0) return ['Nothing stands in the way.'];
  const head = reply['reachable'] === true ? 'Reached, but not in every zone:' : 'Not reached:';
  return [head, ...obstacles.flatMap((obstacle) => obstacleLines(obstacle, width))];
};

const obstacleLines = ({ reason, what_to_do, subject, zone_id, message }: Obstacle, width: number) => {
  const name = shortValue('ObstacleReason', reason).replaceAll('-', '_').toUpperCase();
  const place = [subject, ...(zone_id ? [`in ${zone_id}`] : [])].join(' ');
  return [
    `  ${name}  ${place}`,
    ...(message ? wrapped('    “', `${message}”`, width) : []),
    ...wrapped('    ', what_to_do, width),
  ];
};
