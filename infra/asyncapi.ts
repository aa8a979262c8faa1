// What accounts are told on NATS, as AsyncAPI 3: docs/asyncapi.yaml, from the contract and from the facts that the services
// declare. The schemas stay in the contract: a payload names its file and message there.
import { readFileSync, writeFileSync } from 'node:fs';
import { stringify } from 'yaml';
import { connectionCodec } from '../services/connection-broker/src/connection/connection.codec.ts';
import { connectionFacts } from '../services/connection-broker/src/publish/connection-facts.ts';
import { paymentFacts } from '../services/connection-broker/src/publish/payment-facts.ts';
import { scopeFactsCodec } from '../services/connection-broker/src/scope-facts/scope-facts.codec.ts';
import { endpointCodec } from '../services/consumer/src/endpoint/endpoint.codec.ts';
import { gatewayEndpointCodec } from '../services/consumer/src/gateway-endpoint/gateway-endpoint.codec.ts';
import { endpointFacts } from '../services/consumer/src/publish/endpoint-facts.ts';
import { gatewayEndpointFacts } from '../services/consumer/src/publish/gateway-endpoint-facts.ts';
import { nameSetCodec } from '../services/dns/src/name-set/name-set.codec.ts';
import { nameSetFacts } from '../services/dns/src/publish/name-set-facts.ts';
import { endpointServiceCodec } from '../services/provider/src/endpoint-service/endpoint-service.codec.ts';
import { endpointServiceFacts } from '../services/provider/src/publish/endpoint-service-facts.ts';
import { kebab } from '../services/shared/src/facts/public-fact.ts';
import { registry } from '../services/shared/src/grpc/json-call.ts';
import { commentOf } from './cli/src/contract.ts';

type Declared = Readonly<{ service: string; entity: string; only?: readonly string[] }>;
type Codec = Readonly<{ formats: Readonly<Record<string, unknown>> }>;

const view = { dnsSuffix: '', forwarder: 'agents', stuckAfterMs: 0, now: () => new Date() } as const;

const declared: readonly (readonly [Declared, Codec])[] = [
  [endpointServiceFacts, endpointServiceCodec],
  [endpointFacts(''), endpointCodec],
  [gatewayEndpointFacts, gatewayEndpointCodec],
  [connectionFacts(view), connectionCodec],
  [paymentFacts, scopeFactsCodec],
  [nameSetFacts, nameSetCodec],
];

const FACT = 'privatelink.events.v1.Fact';

/** What the contract says of a kind of resource. */
const aboutKind = (kind: string): string => {
  const field = registry.getMessage(FACT)?.fields.find(({ name }) => name === kind.replaceAll('-', '_'));
  if (!field) throw new Error(`${FACT} has no ${kind}`);
  return commentOf(field);
};

const channelOf = ([{ service, entity, only }, { formats }]: (typeof declared)[number]) => {
  const kind = kebab(entity);
  const facts = [...(only ?? Object.keys(formats))].sort();
  return {
    name: entity,
    channel: {
      address: `privatelink.v1.{accountId}.${kind}.{resourceId}.{fact}`,
      description: aboutKind(kind),
      parameters: {
        accountId: { $ref: '#/components/parameters/accountId' },
        resourceId: { description: `Id of the ${kind.replaceAll('-', ' ')}.` },
        fact: { description: 'What happened.', enum: facts.map(kebab) },
      },
      messages: { fact: { $ref: `#/components/messages/${entity}` } },
    },
    message: {
      name: entity,
      title: aboutKind(kind).replace(/\.$/, ''),
      contentType: 'application/protobuf',
      headers: {
        allOf: [
          { $ref: '#/components/schemas/cloudEvent' },
          {
            type: 'object',
            properties: {
              'ce-type': { enum: facts.map((fact) => `com.privatelink.v1.${kind}.${fact}`) },
              'ce-source': { pattern: `^/privatelink/${service}/accounts/[0-9]{16}$` },
            },
          },
        ],
      },
      payload: {
        schemaFormat: 'application/vnd.google.protobuf;version=3',
        schema: 'syntax = "proto3";\nimport "privatelink/events/v1/fact.proto";\n',
        'x-message': FACT,
      },
    },
    operation: {
      action: 'send',
      channel: { $ref: `#/channels/${entity}` },
      messages: [{ $ref: `#/channels/${entity}/messages/fact` }],
    },
  };
};

const text = (description: string, rest: object = {}) => ({ type: 'string', description, ...rest });

const cloudEvent = {
  type: 'object',
  description: 'CloudEvents 1.0, binary mode: each attribute is a header, percent-encoded as in HTTP.',
  required: ['specversion', 'id', 'source', 'type', 'subject', 'time', 'datacontenttype', 'sequence', 'revision'].map(
    (attribute) => `ce-${attribute}`,
  ),
  properties: {
    'ce-specversion': { const: '1.0' },
    'ce-id': text('Id of the event, unique within its source.'),
    'ce-source': text('The service, as the account sees it.'),
    'ce-type': text('The fact.'),
    'ce-subject': text('`<resource type>/<resource id>`.'),
    'ce-time': text('When it was recorded.', { format: 'date-time' }),
    'ce-datacontenttype': { const: 'application/protobuf' },
    'ce-sequence': text('The position, in 20 digits: later events have higher ones.', { pattern: '^[0-9]{20}$' }),
    'ce-revision': text('Revision of the resource: each fact of it has a higher one.', { pattern: '^[0-9]+$' }),
    'ce-correlationid': text('What one request has caused has one.'),
  },
};

export const asyncapi = (): string => {
  const channels = declared.map(channelOf);
  const by = (part: 'channel' | 'message' | 'operation') =>
    Object.fromEntries(channels.map((channel) => [channel.name, channel[part]]));
  const document = {
    asyncapi: '3.0.0',
    info: {
      title: 'PrivateLink: what accounts are told',
      version: '1.0.0',
      description: 'Delivered at least once, in order per resource. See docs/events.md.',
      license: { name: 'Apache-2.0' },
    },
    defaultContentType: 'application/protobuf',
    servers: {
      development: {
        host: '127.0.0.1:7422',
        protocol: 'nats',
        description: 'What `npm start` runs.',
        security: [{ $ref: '#/components/securitySchemes/account' }],
      },
    },
    channels: by('channel'),
    operations: by('operation'),
    components: {
      parameters: { accountId: { description: 'The account that is told: it may read what begins with its id.' } },
      messages: by('message'),
      schemas: { cloudEvent },
      securitySchemes: { account: { type: 'userPassword', description: 'plctl nats-user create --account <id>' } },
    },
  };
  return `# Written by \`npm run asyncapi\`; a test compares.\n${stringify(document, { aliasDuplicateObjects: false })}`;
};

const file = new URL('../docs/asyncapi.yaml', import.meta.url);

export const writtenAsyncapi = (): string => readFileSync(file, 'utf8');

if (import.meta.main) writeFileSync(file, asyncapi());
