import type { Session } from './session';

/** What a page goes through that concerns the connection. */
export interface PageOwner {
  session: Pick<Session, 'probe' | 'sleep' | 'wake'>;
  /** The network came back: what is down may work again. */
  repair(): void;
  /** The page is closed. */
  gone(): void;
}

/** Follows the page until `signal` ends it. In the back-forward cache nothing runs: the session sleeps there. */
export function followPage({ session, repair, gone }: PageOwner, signal: AbortSignal): void {
  const options = { signal };
  const online = () => {
    session.probe();
    repair();
  };
  window.addEventListener('online', online, options);
  document.addEventListener(
    'visibilitychange',
    () => document.visibilityState === 'visible' && session.probe(),
    options,
  );
  window.addEventListener('pagehide', (event) => (event.persisted ? session.sleep() : gone()), options);
  window.addEventListener('pageshow', (event) => event.persisted && session.wake(), options);
}
