import { shortName, words } from '../format.ts';

export type Tone = 'good' | 'busy' | 'warn' | 'bad' | 'idle';

const TONES: Readonly<Record<string, Tone>> = {
  CONNECTED: 'good',
  ACTIVE: 'good',
  NORMAL: 'good',
  ACCEPTED: 'good',
  CONNECTING: 'busy',
  CHANGING: 'busy',
  CREATING: 'busy',
  MIGRATING: 'busy',
  MIGRATED: 'busy',
  DISCONNECTING: 'warn',
  AWAITING: 'warn',
  AWAITING_ACCEPTANCE: 'warn',
  FINANCIAL_LOCKED: 'warn',
  ENDPOINT_PAYMENT_OVERDUE: 'warn',
  SERVICE_PAYMENT_OVERDUE: 'warn',
  SECURITY_LOCKED: 'bad',
  ENDPOINT_SECURITY_LOCK: 'bad',
  SERVICE_SECURITY_LOCK: 'bad',
  SERVICE_DELETED: 'bad',
  REJECTED: 'bad',
  EXPIRED: 'bad',
  APPROVAL_EXPIRED: 'bad',
  NOT_WHITELISTED: 'bad',
};

export const toneOf = (name: string): Tone => TONES[shortName(name)] ?? 'idle';

/** A status or a reason, told by its words; the colour only helps. */
export const Badge = ({ name, tone }: Readonly<{ name: string; tone?: Tone }>) => {
  const short = shortName(name);
  if (short === '' || short === 'UNSPECIFIED') return <span className="muted">–</span>;
  return <span className={`badge tone-${tone ?? toneOf(short)}`}>{words(short)}</span>;
};

export const Badges = ({ names }: Readonly<{ names: readonly string[] }>) => (
  <span className="badges">
    {names.map((name) => (
      <Badge key={name} name={name} />
    ))}
  </span>
);
