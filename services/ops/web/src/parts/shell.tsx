import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, Navigate, Outlet, useLocation, useNavigate } from '@tanstack/react-router';
import { useEffect } from 'react';
import { ApiError, get, type Session, signOut } from '../api.ts';
import { follow, useConnection } from '../live.ts';
import { Badge } from './badge.tsx';
import { Problem } from './problem.tsx';

/** Who sees everything, and who an account's own: pages that would be refused are not offered. */
const ALL = ['operator', 'viewer'];
const PAGES = [
  ['/', 'Overview', null],
  ['/connections', 'Connections', null],
  ['/endpoint-services', 'Services', [...ALL, 'provider']],
  ['/visible-services', 'Services to use', ['consumer']],
  ['/endpoints', 'Endpoints', [...ALL, 'consumer']],
  ['/topology', 'Topology', null],
  ['/events', 'Events', null],
  ['/explain', 'Explain', null],
  ['/system', 'System', ALL],
] as const;

export const seesAll = ({ roles }: Session): boolean => roles.some((role) => ALL.includes(role));

export const useSession = () => useQuery({ queryKey: ['session'], queryFn: () => get<Session>('/api/session') });

/** `/` leads to the search of a page, as in a terminal. */
const onKey = (event: KeyboardEvent): void => {
  const isTyping = event.target instanceof HTMLElement && /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
  const search = document.querySelector<HTMLInputElement>('input[type="search"]');
  if (event.key !== '/' || isTyping || !search) return;
  event.preventDefault();
  search.focus();
};

const LIVE = {
  asking: ['Connecting', 'idle'],
  connecting: ['Connecting', 'idle'],
  live: ['Live', 'good'],
  lost: ['Reconnecting', 'warn'],
} as const;

/** Everything around a page, for those who have signed in. */
export const Shell = () => {
  const client = useQueryClient();
  const navigate = useNavigate();
  const { data: session, error } = useSession();
  const connection = useConnection();
  const isSignedIn = session !== undefined;
  useEffect(() => (isSignedIn ? follow(client) : undefined), [client, isSignedIn]);
  const { pathname } = useLocation();
  // biome-ignore lint/correctness/useExhaustiveDependencies: a narrow page shows a part of its names only
  useEffect(() => {
    document.querySelector('.nav [aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }, [pathname, isSignedIn]);
  useEffect(() => {
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, []);
  if (error instanceof ApiError && error.status === 401) return <Navigate to="/sign-in" />;
  if (!session) return <main>{error ? <Problem error={error} /> : <p className="muted">Loading …</p>}</main>;
  const [text, tone] = LIVE[connection];
  const leave = async () => {
    await signOut();
    client.clear();
    await navigate({ to: '/sign-in' });
  };
  return (
    <div className="shell">
      <a className="skip" href="#main">
        Skip to content
      </a>
      <header className="side">
        <div className="brand">
          <img src="/icon.svg" alt="" />
          PrivateLink
        </div>
        <nav className="nav" aria-label="Pages">
          {PAGES.filter(([, , roles]) => !roles || roles.some((role) => session.roles.includes(role))).map(
            ([to, name]) => (
              <Link key={to} to={to} activeOptions={{ exact: to === '/', includeSearch: false }}>
                {name}
              </Link>
            ),
          )}
        </nav>
        <div className="who">
          <span aria-live="polite">
            <Badge name={text} tone={tone} />
          </span>
          <span>
            {session.subject} <span className="muted">({session.accountId || session.roles.join(', ')})</span>
          </span>
          <button type="button" onClick={() => void leave()}>
            Sign out
          </button>
        </div>
      </header>
      <main id="main" tabIndex={-1}>
        {connection === 'asking' ? <p className="muted">Loading …</p> : <Outlet />}
      </main>
    </div>
  );
};
