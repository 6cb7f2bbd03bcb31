// Pages for when there is no going on: a browser without WebRTC, an address that leads nowhere.
import { useEffect } from 'preact/hooks';
import { problem } from '../text/problems';
import { Logo } from '../ui/logo';

function DeadPage({ title, advice, testid }: { title: string; advice: string; testid: string }) {
  useEffect(() => {
    document.title = `${title} · Parley`;
  }, [title]);
  return (
    <div class="page">
      <header>
        <a class="wordmark" href="/">
          <Logo /> Parley
        </a>
      </header>
      <main>
        <div class="ending" data-testid={testid}>
          <h1>{title}</h1>
          <p class="quiet">{advice}</p>
          <div class="row">
            <a class="button primary" href="/">
              To the first page
            </a>
          </div>
        </div>
      </main>
    </div>
  );
}

export function UnsupportedPage() {
  return <DeadPage {...problem('unsupported_browser')} testid="unsupported" />;
}

export function UnknownPage() {
  return (
    <DeadPage
      title="There is no such page"
      advice="A room’s link looks like /r/standup: up to 64 letters, digits, dots, dashes, underscores or tildes. Check it, or pick a room on the first page."
      testid="unknown"
    />
  );
}
