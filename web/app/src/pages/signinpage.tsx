// /sign-in: where sign-in links and accounts elsewhere lead to. It goes on to where one wanted to go.
import { useEffect, useRef, useState } from 'preact/hooks';
import { go, localPath, takeKey } from '../state/route';
import { host, loadAccess, server, signIn } from '../state/server';
import { saveSettings, settings } from '../state/settings';
import { problem } from '../text/problems';
import { ProblemNote } from '../ui/note';
import { Frame } from './frame';
import { faultOf, SignIn } from './signin';

type State = { kind: 'ask'; fault?: ReturnType<typeof faultOf> } | { kind: 'trying' } | { kind: 'done' };

export function SignInPage() {
  const asked = new URLSearchParams(location.search);
  const back = localPath(asked.get('return'));
  const code = asked.get('error');
  const heading = useRef<HTMLHeadingElement>(null);
  const [state, setState] = useState<State>(() =>
    code ? { kind: 'ask', fault: { code, message: '', until: 0 } } : { kind: 'ask' },
  );
  useEffect(() => {
    document.title = 'Sign in · Parley';
    heading.current?.focus();
    void loadAccess();
    const key = takeKey();
    if (key) void redeem(key, setState);
  }, []);
  // Somebody who came to sign in, and is: by whatever way.
  const mine = host.value;
  useEffect(() => {
    if (!mine || state.kind === 'trying') return;
    if (mine.name && !settings.value.name) saveSettings({ name: mine.name });
    setState({ kind: 'done' });
    if (back !== '/') go(back);
  }, [mine, state.kind === 'trying']);

  return (
    <Frame>
      <main>
        <div class="card" data-testid="sign-in-page" data-state={state.kind}>
          <h1 ref={heading} tabIndex={-1}>
            {state.kind === 'done'
              ? 'You are signed in'
              : state.kind === 'trying'
                ? 'Signing you in…'
                : 'Sign in as a host'}
          </h1>
          {state.kind === 'trying' && <p class="spinner" />}
          {state.kind === 'ask' && <Ask state={state} back={back} />}
          {state.kind === 'done' && (
            <>
              <p class="quiet">
                {mine?.name ? `Hello, ${mine.name}. ` : ''}You can open rooms here now, and invite whom you like. It
                lasts for weeks in this browser.
              </p>
              <button type="button" class="button primary wide" data-testid="continue" onClick={() => go(back)}>
                {back === '/' ? 'Open a room' : 'Go on'}
              </button>
            </>
          )}
        </div>
      </main>
    </Frame>
  );
}

function Ask({ state, back }: { state: Extract<State, { kind: 'ask' }>; back: string }) {
  const known = server.value;
  const { fault } = state;
  const p = fault && problem(fault.code, fault.message);
  return (
    <>
      <p class="quiet">Hosts open rooms and invite others. Guests need no account, only the link they were sent.</p>
      {p && (
        <div class="sign-in" data-testid="sign-in-fault" data-code={fault.code}>
          <ProblemNote problem={p} />
        </div>
      )}
      {known.kind === 'known' && <SignIn back={back} />}
      {known.kind === 'failed' && (
        <div class="sign-in">
          <ProblemNote problem={problem(known.code, known.message)}>
            <button type="button" class="button tight" onClick={() => void loadAccess()}>
              Try again
            </button>
          </ProblemNote>
        </div>
      )}
    </>
  );
}

// A preview of the link runs no script: it does not use the link up.
async function redeem(key: string, show: (state: State) => void): Promise<void> {
  show({ kind: 'trying' });
  try {
    await signIn({ key, name: settings.value.name || undefined });
    show({ kind: 'done' });
  } catch (error) {
    show({ kind: 'ask', fault: faultOf(error) });
  }
}
