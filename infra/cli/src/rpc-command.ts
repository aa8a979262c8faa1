import { randomUUID } from 'node:crypto';
import type { DescMessage } from '@bufbuild/protobuf';
import { accessOf } from '@privatelink/shared/grpc/access';
import { Command, Option } from 'commander';
import { call, requestFrom } from './call.ts';
import { commentOf, type Rpc, rpcs, type ServiceName } from './contract.ts';
import { CallFailed, UsageError } from './failure.ts';
import { fieldValue, flagOf, type Json, optionFor } from './field-option.ts';
import { type Format, print, printEvent, type Screen } from './output/print.ts';
import { openSession, type SessionOptions } from './session.ts';
import { watch } from './watch.ts';

type Given = Readonly<Record<string, unknown>>;
type Global = SessionOptions & Readonly<{ output: Format; service?: ServiceName; timeout: number; watch?: boolean }>;

const DEFAULT_SERVICE = 'broker';

/** A command for each RPC of the contract, under its noun. */
export const addRpcCommands = (program: Command, screen: Screen): void => {
  const nouns = new Map<string, Command>();
  for (const rpc of rpcs) {
    const noun = nouns.get(rpc.noun) ?? program.command(rpc.noun).description(`${rpc.noun.replaceAll('-', ' ')}s`);
    nouns.set(rpc.noun, noun);
    noun.addCommand(commandFor(rpc, screen));
  }
  for (const [name, noun] of nouns) {
    const verbs = rpcs.filter((rpc) => rpc.noun === name).map(({ verb }) => verb);
    noun.description(verbs.join(', ')).helpGroup('Calls of the contract, a noun with its verbs:');
  }
};

const commandFor = (rpc: Rpc, screen: Screen): Command => {
  const { verb, about, method, servedBy } = rpc;
  const command = new Command(verb).description(about);
  const id = idField(method.input);
  if (id) command.argument(`[${id.name.replaceAll('_', '-')}]`, commentOf(id));
  for (const field of method.input.fields) command.addOption(optionFor(field));
  command.addOption(new Option('--request <json>', 'the whole request as JSON; options come on top of it'));
  if (servedBy.length > 1)
    command.addOption(new Option('--service <name>', 'whose').choices(servedBy).default(DEFAULT_SERVICE));
  if (verb === 'get' || verb === 'list')
    command.option('--watch', 'ask again each second, and show what has changed, until ctrl-C');
  return command.action(async (...args: unknown[]) => {
    const self = args.at(-1) as Command;
    const [positional] = id ? args : [];
    const given = { ...self.opts(), ...(typeof positional === 'string' && id && { [id.jsonName]: positional }) };
    await run(rpc, given, self.optsWithGlobals<Global>(), screen);
  });
};

/** What a command is about may stand alone: `plctl connection get ep-...`. */
const idField = ({ fields }: DescMessage) =>
  fields.find(({ name }) =>
    /^(service|endpoint|connection|vpc|dead_letter)_id$|^(service|domain_name|read_model)$/.test(name),
  );

const run = async ({ method, servedBy }: Rpc, given: Given, options: Global, screen: Screen): Promise<void> => {
  const session = openSession(options);
  const json = requestJson(method.input, given);
  const read = () => {
    try {
      return requestFrom(method, json);
    } catch (error) {
      throw new UsageError(`this is no ${method.input.name}: ${(error as Error).message}`);
    }
  };
  // Of what one serves, `--service` is a field of the request.
  const asked = servedBy.length > 1 ? options.service : servedBy[0];
  const target = {
    address: await session.address(asked ?? DEFAULT_SERVICE),
    token: await session.token(accessOf(`${method.parent.typeName}/${method.name}`)?.roles ?? []),
    timeoutMs: options.timeout * 1_000,
  };
  const request = read();
  const repeat = repeating(json);
  try {
    if (options.watch) return await watch(method, json, target, options.output, screen);
    for await (const answer of call(method, request, target)) {
      if (method.methodKind === 'server_streaming') printEvent(options.output, method.output, answer, screen);
      else print(options.output, method.output, answer, screen);
      if (answer['preview'] && options.output === 'table')
        screen.write(`To do just this: without --dry-run, ${repeat}\n`);
    }
  } catch (error) {
    throw new CallFailed(error, method.input, repeat);
  }
};

/** How the same request is made again, which does nothing twice. */
const repeating = (json: Json): string => {
  const { request_id: id } = json as Readonly<Record<string, Json>>;
  return id === undefined ? '' : `with --request-id ${id}`;
};

/** The options that were given, over what `--request` says; a mutation without an id of its own gets one. */
export const requestJson = ({ fields }: DescMessage, given: Given): Json => {
  const base = given['request'] === undefined ? {} : parseRequest(String(given['request']));
  const said = fields.flatMap((field) => {
    const value = given[attributeOf(flagOf(field))] ?? given[field.jsonName];
    return value === undefined ? [] : [[field.name, fieldValue(field, value as Json)] as const];
  });
  const isMutation = fields.some(({ name }) => name === 'request_id');
  return { ...(isMutation && { request_id: randomUUID() }), ...base, ...Object.fromEntries(said) };
};

const attributeOf = (flag: string): string =>
  flag.slice(2).replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());

const parseRequest = (text: string): Readonly<Record<string, Json>> => {
  try {
    return JSON.parse(text) as Record<string, Json>;
  } catch (error) {
    throw new UsageError(`--request is no JSON: ${(error as Error).message}`);
  }
};
