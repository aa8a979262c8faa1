import type {
  DeadLetter as DeadLetterMessage,
  ListSubscriptionsResponse,
} from '@privatelink/proto/operations/v1/operations_service';
import { rpc, type ServiceName } from './api.ts';
import type { Json } from './json.ts';

/** The body comes as its one field. */
export type DeadLetter = Json<Omit<DeadLetterMessage, 'body'>> & Readonly<{ text?: string; raw?: string }>;
export type Subscriptions = Json<ListSubscriptionsResponse>;

/** All of them serve operations. */
export const serving: readonly ServiceName[] = ['provider', 'consumer', 'broker', 'dns', 'ops'];

const call = <T>(service: ServiceName, method: string, body: object): Promise<T> =>
  rpc(service, `privatelink.operations.v1.OperationsService.${method}`, body);

export const listSubscriptions = (service: ServiceName): Promise<Subscriptions> =>
  call(service, 'ListSubscriptions', {});

type Letters = Readonly<{ deadLetters: readonly DeadLetter[]; nextPageToken: string }>;

export const listDeadLetters = (service: ServiceName): Promise<Letters> => call(service, 'ListDeadLetters', {});

export const replayDeadLetter = (service: ServiceName, deadLetterId: string, requestId: string): Promise<object> =>
  call(service, 'ReplayDeadLetter', { deadLetterId, requestId });

export const discardDeadLetter = (
  service: ServiceName,
  deadLetterId: string,
  requestId: string,
  message: string,
): Promise<object> => call(service, 'DiscardDeadLetter', { deadLetterId, requestId, message });
