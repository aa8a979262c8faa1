import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { signIn } from '../api.ts';
import { PageHead } from '../parts/page-head.tsx';
import { Problem } from '../parts/problem.tsx';

export const SignInPage = () => {
  const client = useQueryClient();
  const navigate = useNavigate();
  const [token, setToken] = useState('');
  const [error, setError] = useState<Error | null>(null);
  const isUsed = new URLSearchParams(window.location.search).has('used');
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    try {
      client.setQueryData(['session'], await signIn(token.trim()));
      await navigate({ to: '/' });
    } catch (problem) {
      setError(problem as Error);
    }
  };
  return (
    <main className="sign-in">
      <form className="card" onSubmit={(event) => void submit(event)}>
        <PageHead title="Sign in" />
        {isUsed && <p className="notice tone-warn">This login link was used already, or is of an earlier run.</p>}
        <p className="muted">
          Follow the link that <code>npm start</code> printed, get another one with{' '}
          <code>node infra/embedded/src/login-link.ts</code>, or paste a token, which{' '}
          <code>node infra/embedded/src/token.ts</code> makes.
        </p>
        <label className="field">
          Token
          <input
            type="password"
            value={token}
            autoComplete="off"
            required
            onChange={({ target }) => setToken(target.value)}
          />
        </label>
        <Problem error={error} />
        <button type="submit" className="primary">
          Sign in
        </button>
      </form>
    </main>
  );
};
