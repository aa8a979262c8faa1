import { useQueries } from '@tanstack/react-query';
import type { ServiceName } from '../api.ts';
import { number, times } from '../format.ts';
import { type DeadLetter, discardDeadLetter, listDeadLetters, replayDeadLetter, serving } from '../operations.ts';
import { Confirm } from '../parts/confirm.tsx';
import { Problem } from '../parts/problem.tsx';
import { useSession } from '../parts/shell.tsx';
import { Ago } from '../parts/time.tsx';

/** Messages that could not be handled, of all services, and what to do with them. */
export const DeadLetters = () => {
  const found = useQueries({
    queries: serving.map((service) => ({
      queryKey: ['dead-letters', service],
      queryFn: () => listDeadLetters(service),
      refetchInterval: 5_000,
    })),
  });
  const letters = found.flatMap(({ data }, index) =>
    (data?.deadLetters ?? []).map((letter) => ({ letter, service: serving[index] ?? 'broker' })),
  );
  const hasMore = found.some(({ data }) => data?.nextPageToken);
  return (
    <section className="card">
      <h2>Dead letters</h2>
      <Problem error={found.find(({ error }) => error)?.error} />
      {letters.length === 0 ? (
        <p className="muted">None: every message could be handled.</p>
      ) : (
        <ul className="letters">
          {letters.map(({ letter, service }) => (
            <Letter key={letter.deadLetterId} letter={letter} service={service} />
          ))}
        </ul>
      )}
      {hasMore && <p className="muted">There are more than these.</p>}
    </section>
  );
};

const Letter = ({ letter, service }: Readonly<{ letter: DeadLetter; service: ServiceName }>) => {
  const { data: session } = useSession();
  const { deadLetterId, consumer, subject, reason, deliveryCount, sizeBytes, correlationId } = letter;
  return (
    <li className="model">
      <div>
        <strong className="mono">{consumer}</strong> <span className="mono">{subject}</span>
        <div>{reason}</div>
        <div className="muted">
          Set aside <Ago time={letter.setAsideTime} />, handled in vain {times(deliveryCount)}, last{' '}
          <Ago time={letter.failureTime} />; {number(Number(sizeBytes))} bytes
          {correlationId && (
            <>
              , of <span className="mono">{correlationId}</span>
            </>
          )}
        </div>
        <details>
          <summary>Message {deadLetterId}</summary>
          <pre>{letter.text ?? `base64: ${letter.raw ?? ''}`}</pre>
        </details>
      </div>
      {session?.roles.includes('operator') && (
        <div className="actions">
          <Confirm
            name="Replay"
            label={deadLetterId}
            run={(requestId) => replayDeadLetter(service, deadLetterId, requestId)}
          >
            {consumer} handles it once more, now. It stays here if it fails again.
          </Confirm>
          <Confirm
            name="Discard"
            label={deadLetterId}
            message
            isDanger
            run={(requestId, message) => discardDeadLetter(service, deadLetterId, requestId, message)}
          >
            It is removed, and nobody will handle it.
          </Confirm>
        </div>
      )}
    </li>
  );
};
