// Signing in as a host: by the passphrase, by an account elsewhere, or by the link that the server printed.
import { useState } from 'preact/hooks';
import { codeOf } from '../state/notices';
import { access, oidcPath, signIn } from '../state/server';
import { saveSettings, settings } from '../state/settings';
import { shortly } from '../text/format';
import { problem } from '../text/problems';
import { useNow } from '../ui/now';

interface Fault {
  code: string;
  message: string;
  /** When it may be tried again, by performance.now(). */
  until: number;
}

export function faultOf(error: unknown): Fault {
  const { retryMs = 0 } = error as { retryMs?: number };
  const message = error instanceof Error ? error.message : '';
  return { code: codeOf(error), message, until: performance.now() + retryMs };
}

export function SignIn({ back, first }: { back: string; first?: Fault | undefined }) {
  const ways = access.value?.signIn ?? [];
  const [fault, setFault] = useState(first);
  return (
    <div class="sign-in" data-testid="sign-in" data-ways={ways.join(' ')}>
      {ways.includes('passphrase') && <Passphrase fault={fault} onFault={setFault} />}
      {ways.includes('passphrase') && ways.includes('oidc') && <p class="or">or</p>}
      {ways.includes('oidc') && (
        <a
          class={ways.includes('passphrase') ? 'button wide' : 'button primary wide'}
          href={oidcPath(back)}
          data-testid="sign-in-oidc"
        >
          Continue with {access.value?.oidcName || 'your account'}
        </a>
      )}
      {ways.includes('link') && (
        <p class="quiet" data-testid="sign-in-link">
          Are you the host? Open the sign-in link that the server printed when it started.
        </p>
      )}
      {!ways.includes('passphrase') && <FaultNote fault={fault} wait={0} />}
    </div>
  );
}

function Passphrase({ fault, onFault }: { fault: Fault | undefined; onFault: (fault: Fault | undefined) => void }) {
  const [passphrase, setPassphrase] = useState('');
  const [name, setName] = useState(settings.value.name);
  const [busy, setBusy] = useState(false);
  const wait = Math.max(0, (fault?.until ?? 0) - useNow());
  const submit = async (event: Event) => {
    event.preventDefault();
    if (busy || wait > 0) return;
    if (!passphrase) return document.getElementById('passphrase')?.focus();
    setBusy(true);
    saveSettings({ name: name.trim() });
    try {
      await signIn({ passphrase, name: name.trim() || undefined });
    } catch (error) {
      onFault(faultOf(error));
      document.getElementById('passphrase')?.focus();
    } finally {
      setBusy(false);
    }
  };
  return (
    <form class="first-form" onSubmit={submit}>
      <div class="field">
        <label for="sign-in-name">Your name</label>
        <input
          id="sign-in-name"
          class="input"
          dir="auto"
          autocomplete="name"
          maxLength={64}
          value={name}
          placeholder="As your guests will see it"
          data-testid="sign-in-name"
          onInput={(e) => setName(e.currentTarget.value)}
        />
      </div>
      <div class="field">
        <label for="passphrase">The host’s passphrase</label>
        <input
          id="passphrase"
          class="input"
          type="password"
          autocomplete="current-password"
          value={passphrase}
          aria-invalid={fault !== undefined}
          aria-describedby="sign-in-fault"
          data-testid="passphrase"
          onInput={(e) => setPassphrase(e.currentTarget.value)}
        />
        <FaultNote fault={fault} wait={wait} />
      </div>
      <button type="submit" class="button primary wide" disabled={busy || wait > 0} data-testid="sign-in-submit">
        {busy ? (
          <>
            <span class="spinner" /> Signing in…
          </>
        ) : wait > 0 ? (
          <span class="number">Try again in {shortly(wait)}</span>
        ) : (
          'Sign in'
        )}
      </button>
    </form>
  );
}

function FaultNote({ fault, wait }: { fault: Fault | undefined; wait: number }) {
  const p = fault && problem(fault.code, fault.message);
  // Said once: the seconds that are counted down stand on the button.
  const over = fault?.code === 'too_many_tries' && wait === 0;
  return (
    <p id="sign-in-fault" class="fault" role="alert" hidden={!p} data-code={fault?.code} data-testid="sign-in-fault">
      {p && (over ? 'You can try again now.' : `${p.title}. ${p.advice}`)}
    </p>
  );
}
