// The start: binds the SDK and draws the page.
import {
  access,
  captureCamera,
  captureMicrophone,
  enter,
  levelMeter,
  listDevices,
  onDeviceChange,
  Presence,
  Room,
  removeLeftovers,
  signIn,
  signOut,
  unsupported,
} from 'parley-sdk';
import { render } from 'preact';
import { App } from './app';
import { bind } from './backend';
import { followRoute } from './state/call';
import { startRouting } from './state/route';
import { loadSettings } from './state/settings';
import './styles/base.css';
import './styles/controls.css';
import './styles/pages.css';
import './styles/door.css';
import './styles/call.css';
import './styles/tile.css';
import './styles/panels.css';
import './styles/stats.css';

bind({
  connect: (options) => Room.connect(options),
  watch: (options) => Presence.watch(options),
  listDevices,
  onDeviceChange,
  levelMeter,
  captureMicrophone,
  captureCamera,
  unsupported,
  access,
  enter,
  signIn,
  signOut,
});
loadSettings();
void removeLeftovers();
startRouting();
followRoute();
render(<App />, document.getElementById('app') as HTMLElement);
