import { type Issuer, loadSigningKey, mintToken } from './keys.ts';
import { writePrivateFile } from './secrets.ts';

/** How long a service may use a token file; it is rewritten at half time, and services read it anew. */
const ttlSeconds = 12 * 3600;
/** Looks at the clock often, because a laptop that slept has missed its timers. */
const lookEveryMs = 30_000;

/** Keeps the token file of each service fresh until it is told to stop. */
export async function keepServiceTokens(issuer: Issuer, services: readonly string[]): Promise<() => void> {
  const key = await loadSigningKey(issuer.keyFile);
  let renewAt = 0;
  const renew = async (): Promise<void> => {
    if (Date.now() < renewAt) return;
    for (const service of services) {
      const token = await mintToken({
        subject: `service:${service}`,
        account: '',
        roles: ['service'],
        key,
        ttlSeconds,
      });
      await writePrivateFile(issuer.tokenFileOf(service), token);
    }
    renewAt = Date.now() + (ttlSeconds / 2) * 1000;
  };
  await renew();
  // A disk that is full now may not be at the next look: there is half a lifetime left.
  const timer = setInterval(() => void renew().catch(() => {}), lookEveryMs);
  timer.unref();
  return () => clearInterval(timer);
}
