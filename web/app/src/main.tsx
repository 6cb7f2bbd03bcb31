// The start: binds the SDK and draws the page.
import {
  captureCamera,
  captureMicrophone,
  levelMeter,
  listDevices,
  onDeviceChange,
  Presence,
  Room,
  removeLeftovers,
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
});
loadSettings();
void removeLeftovers();
startRouting();
followRoute();
render(<App />, document.getElementById('app') as HTMLElement);
