import type { BrokerServiceService } from '@privatelink/proto/broker/v1/broker_service';
import type { RemoteService } from '@privatelink/shared/grpc/client';

/** What an agent asks of the broker. */
export type Broker = Pick<
  RemoteService<typeof BrokerServiceService>,
  'watchZone' | 'reportForwarding' | 'reportZoneHealth' | 'reportTraffic'
>;
