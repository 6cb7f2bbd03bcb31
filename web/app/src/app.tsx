// Which page is shown.
import { backend } from './backend';
import { CallPage } from './call/call';
import { CheckPage } from './pages/check';
import { UnknownPage, UnsupportedPage } from './pages/dead';
import { FirstPage } from './pages/first';
import { OverPage } from './pages/over';
import { WaitingPage } from './pages/waiting';
import { ending, phase } from './state/call';
import { route } from './state/route';
import { lazy } from './ui/lazy';
import { LiveRegions } from './ui/live';

const SignInPage = lazy(() => import('./pages/signinpage').then((m) => m.SignInPage));

export function App() {
  return (
    <>
      <Page />
      <LiveRegions />
    </>
  );
}

function Page() {
  // A page without a secure address still lets people watch and chat; the check says what is missing.
  if (backend().unsupported()?.code === 'unsupported_browser') return <UnsupportedPage />;
  const at = route.value;
  if (at.page === 'unknown') return <UnknownPage />;
  if (at.page === 'first') return <FirstPage />;
  if (at.page === 'sign-in') return <SignInPage />;
  if (phase.value === 'in') return <CallPage name={at.room} />;
  if (phase.value === 'waiting') return <WaitingPage room={at.room} />;
  if (phase.value === 'over' && ending.value) return <OverPage why={ending.value} />;
  return <CheckPage key={at.room} room={at.room} />;
}
