import { isIP } from 'node:net';

/** About connections to a port from where the client is: the first one that is about it decides, and without any it is refused. */
export type IngressRule = Readonly<{ allowed: boolean; fromPort: number; toPort: number; sourceCidr: string }>;
export type Ingress = readonly IngressRule[];

/** Whether it is what it says: it goes into files. */
export const isIngressRule = ({ fromPort, toPort, sourceCidr }: IngressRule): boolean => {
  const [ip = '', length = ''] = sourceCidr.split('/');
  const isRange =
    isIP(ip) !== 0 && !ip.includes('%') && /^\d{1,3}$/.test(length) && Number(length) <= (isIP(ip) === 6 ? 128 : 32);
  return isRange && sourceCidr === `${ip}/${length}` && fromPort >= 0 && fromPort <= toPort;
};
