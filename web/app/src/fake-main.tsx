// Development only (vite serves fake.html, the build leaves it out): the pages with invented people.
// /fake.html?path=/r/standup&people=5&screen=1&chat=1&files=1&state=reconnecting&join=1 and so on; see fake.ts.
import { render } from 'preact';
import { App } from './app';
import { bind } from './backend';
import { fakeBackend, play } from './fake';
import { fakeTabs } from './fakedoor';
import { scenario } from './fakescenario';
import { followRoute, join } from './state/call';
import { go, startRouting } from './state/route';
import { loadAccess } from './state/server';
import { loadSettings } from './state/settings';
import { useTabs } from './state/tabs';
import './styles/base.css';
import './styles/controls.css';
import './styles/pages.css';
import './styles/door.css';
import './styles/call.css';
import './styles/tile.css';
import './styles/panels.css';
import './styles/stats.css';

const q = new URLSearchParams(location.search);
const s = scenario(q);
bind(fakeBackend(s));
useTabs(fakeTabs(s.door.otherTab));
loadSettings();
if (q.has('key')) location.hash = 'key=invented';
startRouting();
followRoute();
go(q.has('error') ? `${s.path}?error=${q.get('error')}` : s.path);
render(<App />, document.getElementById('app') as HTMLElement);
if (s.join) {
  await loadAccess();
  await join({
    room: 'standup',
    name: 'Sam',
    tracks: () => ({ camera: Promise.resolve(undefined), microphone: Promise.resolve(undefined) }),
  });
  play(s);
}
