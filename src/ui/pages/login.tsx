import type { JSX, TargetedSubmitEvent } from 'preact';
import { useState } from 'preact/hooks';
import { Failure } from '../parts/pieces.tsx';
import { ApiFailure, keepToken, signIn } from '../state/api.ts';

/** Shown whenever the API wants to know who asks. */
export function LoginPage(): JSX.Element {
  const [error, setError] = useState<unknown>(null);
  const [isBusy, setBusy] = useState(false);
  const submit = async (event: TargetedSubmitEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    setBusy(true);
    setError(null);
    try {
      const token = `${form.get('token')}`.trim();
      if (token === '') await signIn(`${form.get('username')}`, `${form.get('password')}`);
      else keepToken(token);
    } catch (failure) {
      setError(inWords(failure));
    } finally {
      setBusy(false);
    }
  };
  return (
    <form class="panel login" onSubmit={(event) => void submit(event)}>
      <h1>Sign in</h1>
      <p class="quiet">User and password are those of http.user and http.password in rdi's instance settings.</p>
      <label>
        User
        <input name="username" autocomplete="username" />
      </label>
      <label>
        Password
        <input name="password" type="password" autocomplete="current-password" />
      </label>
      <details>
        <summary>With a token instead</summary>
        <label>
          Token (http.token)
          <input name="token" type="password" autocomplete="off" />
        </label>
      </details>
      <button type="submit" class="main" disabled={isBusy}>
        Sign in
      </button>
      <Failure error={error} />
    </form>
  );
}

function inWords(failure: unknown): unknown {
  return failure instanceof ApiFailure && failure.status === 401 ? new Error('User or password is wrong.') : failure;
}
