import { useQuery } from '@tanstack/react-query';
import { rate } from '../format.ts';
import { dnsQueries, type DnsQueries as Measured } from '../measured.ts';
import { Fact } from '../parts/fact.tsx';
import { Problem } from '../parts/problem.tsx';
import { RatesChart } from '../parts/rates-chart.tsx';
import { Ago } from '../parts/time.tsx';

/** How many queries DNS answers, now and over the last half hour. */
export const DnsQueries = () => {
  const { data, error } = useQuery(dnsQueries);
  return (
    <section className="card wide">
      <h2>DNS queries in a second</h2>
      <Problem error={error} />
      {data?.measured && <Found measured={data.measured} />}
      {data && !data.measured && (
        <p className="muted">
          How many there are is not known here: <code>PRIVATELINK_OPS_DNS_METRICS</code> is not set.
        </p>
      )}
    </section>
  );
};

const Found = ({ measured: { processes, now, history } }: Readonly<{ measured: Measured }>) => (
  <>
    <dl className="facts">
      <Fact name="Now" value={<strong>{rate(now.reduce((sum, { perSecond }) => sum + perSecond, 0))}</strong>} />
      {now.map(({ code, perSecond }) => (
        <Fact key={code} name={code} value={rate(perSecond)} />
      ))}
      <Fact name="Servers" value={<Servers processes={processes} />} />
    </dl>
    <RatesChart history={history} />
  </>
);

const Servers = ({ processes }: Pick<Measured, 'processes'>) => {
  const silent = processes.filter(({ isAnswering }) => !isAnswering);
  return (
    <>
      {processes.length - silent.length} of {processes.length} give metrics
      {silent.map(({ address, heardAt }) => (
        <div key={address}>
          <strong className="tone-bad">
            <span className="mono">{address}</span> does not answer
          </strong>
          , heard {heardAt ? <Ago time={heardAt} /> : 'never'}
        </div>
      ))}
    </>
  );
};
