import type { IngressRule } from '@privatelink/proto/broker/v1/broker_service';
import { isCidr } from '@privatelink/shared/grpc/validate';

/** Who may connect to an interface: the first rule that is about a client and a port decides, and without any it is refused. */
export type Ingress = readonly IngressRule[];

/** Whether it is what it says: it goes into files. */
export const isIngressRule = ({ fromPort, toPort, sourceCidr }: IngressRule): boolean =>
  isCidr(sourceCidr) && fromPort >= 0 && fromPort <= toPort;
