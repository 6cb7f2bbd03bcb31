// The device that was chosen once: a wish, not a condition.
import { codeOf } from './notices';
import { settings } from './settings';

export type Captured = 'camera' | 'microphone';

/** Opens the saved device of a kind, or any other where that one is gone. The choice stays for when it is back. */
export async function openSaved<T>(kind: Captured, open: (wish: { deviceId?: string }) => Promise<T>): Promise<T> {
  const deviceId = settings.value[kind];
  if (!deviceId) return open({});
  try {
    return await open({ deviceId });
  } catch (error) {
    if (codeOf(error) !== 'no_device') throw error;
    return open({});
  }
}

/** Which device a track comes from; empty where there is none, or the browser does not say. */
export function deviceOf(track: MediaStreamTrack | undefined): string {
  return track?.getSettings?.().deviceId ?? '';
}
