import { Link } from '@tanstack/react-router';
import { number } from '../format.ts';
import type { Subscriptions } from '../operations.ts';
import { Fact } from '../parts/fact.tsx';
import { Problem } from '../parts/problem.tsx';
import { useSubscriptions } from '../parts/use-subscriptions.ts';
import { summaryOf } from '../subscriptions.ts';

/** How far each service is with what it follows; the System page tells it of each subscription. */
export const SubscriptionGaps = () => {
  const { answers, error } = useSubscriptions();
  return (
    <section className="card">
      <h2>Subscriptions</h2>
      <Problem error={error} />
      <dl className="facts">
        {answers.map(({ service, answer }) => (
          <Fact key={service} name={service} value={answer ? <Summary of={answer.subscriptions} /> : '…'} />
        ))}
      </dl>
      <p className="muted">
        Positions count to the end of the store. Those of events that are not for a subscription are passed by its next
        checkpoint. <Link to="/system">Each of them</Link>
      </p>
    </section>
  );
};

const Summary = ({ of }: Readonly<{ of: Subscriptions['subscriptions'] }>) => {
  const { count, furthest, unheld, failing } = summaryOf(of);
  return (
    <>
      {number(count)},{' '}
      {furthest ? (
        <>
          up to {number(furthest.gap)} positions behind (<span className="mono">{furthest.name}</span>)
        </>
      ) : (
        'none behind'
      )}
      {unheld > 0 && <strong className="tone-bad"> {number(unheld)} held by nobody</strong>}
      {failing > 0 && <strong className="tone-bad"> {number(failing)} failing</strong>}
    </>
  );
};
