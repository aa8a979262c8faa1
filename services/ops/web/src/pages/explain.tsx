import { useMutation } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { type Obstacle, rpc } from '../api.ts';
import { words } from '../format.ts';
import { Fact } from '../parts/fact.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { Problem } from '../parts/problem.tsx';

type Explained = Readonly<{ reachable: boolean; obstacles: readonly Obstacle[] }>;

/** All that stands between an endpoint, or an account, and a service. */
export const ExplainPage = () => {
  const [asked, setAsked] = useState({ endpointId: '', service: '', accountId: '' });
  const explain = useMutation({
    mutationFn: () =>
      rpc<Explained>('broker', 'ExplainReachability', asked.endpointId ? { endpointId: asked.endpointId } : asked),
  });
  const field = (name: keyof typeof asked, label: string, hint: string) => (
    <label className="field grow">
      {label}
      <input
        value={asked[name]}
        placeholder={hint}
        spellCheck={false}
        onChange={({ target }) => setAsked({ ...asked, [name]: target.value.trim() })}
      />
    </label>
  );
  const submit = (event: FormEvent) => {
    event.preventDefault();
    explain.mutate();
  };
  return (
    <>
      <PageHead title="Explain" />
      <p className="muted">What stands between an endpoint and its service, or between an account and a service.</p>
      <form className="filters" onSubmit={submit}>
        {field('endpointId', 'Endpoint', 'ep-…')}
        {field('service', 'or service', 'epsrv-… or its name')}
        {field('accountId', 'and account', '16 digits')}
        <button type="submit" className="primary" disabled={explain.isPending}>
          Explain
        </button>
      </form>
      <Problem error={explain.error} />
      <div aria-live="polite">
        {explain.data?.reachable && <p className="notice tone-good">Nothing stands in the way.</p>}
        {explain.data && !explain.data.reachable && (
          <ol className="obstacles">
            {explain.data.obstacles.map((obstacle) => (
              <ObstacleText key={JSON.stringify(obstacle)} obstacle={obstacle} />
            ))}
          </ol>
        )}
      </div>
    </>
  );
};

/** Fields that say nothing, as JSON. */
const NOTHING = ['""', 'false', '[]', '{}', 'null'];

const ObstacleText = ({ obstacle }: Readonly<{ obstacle: Obstacle }>) => {
  const { reason, ...rest } = obstacle as unknown as Readonly<Record<string, unknown>>;
  return (
    <li>
      <strong>{words(String(reason).replace(/^OBSTACLE_REASON_/, ''))}</strong>
      <dl className="facts">
        {Object.entries(rest)
          .filter(([, value]) => !NOTHING.includes(JSON.stringify(value)))
          .map(([name, value]) => (
            <Fact
              key={name}
              name={words(name.replace(/[A-Z]/g, '_$&'))}
              value={typeof value === 'string' ? value : JSON.stringify(value)}
            />
          ))}
      </dl>
    </li>
  );
};
