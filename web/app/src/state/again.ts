// A page that is reloaded in the middle of a call goes back into it by itself, with what was on of camera and microphone.
import { effect } from '@preact/signals';
import { recall, remember } from './keep';
import { cameraOn, microphoneOn } from './own';
import { saveSettings } from './settings';

const key = 'parley.in';

// A page that goes ends its call; that is no reason to forget it.
let going = false;
if (typeof addEventListener === 'function') addEventListener('pagehide', () => (going = true));

/** Remembers that we are in a room until the returned function is called. */
export function keepIn(room: string): () => void {
  const stop = effect(() => remember(key, `${room} ${Number(microphoneOn.value)}${Number(cameraOn.value)}`));
  return () => {
    stop();
    if (!going) remember(key, '');
  };
}

/** Whether this page was reloaded in the midst of a call in that room; true once. What was on is on again. */
export function comesBack(room: string): boolean {
  const [was, on = ''] = (recall(key) ?? '').split(' ');
  remember(key, '');
  if (was !== room || !reloaded()) return false;
  saveSettings({ microphoneOn: on[0] === '1', cameraOn: on[1] === '1' });
  return true;
}

function reloaded(): boolean {
  const [navigation] = performance.getEntriesByType?.('navigation') ?? [];
  return (navigation as PerformanceNavigationTiming | undefined)?.type === 'reload';
}
