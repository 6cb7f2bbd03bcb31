import { ParleyError } from '../errors';
import { keepPrivateFile } from './privatefiles';
import type { Target } from './sinks';

interface SavePicker {
  showSaveFilePicker?(options: { suggestedName: string }): Promise<FileSystemFileHandle>;
}

const MOST_IN_MEMORY = 500 << 20; // bytes

interface Wanted {
  id: string;
  name: string;
  size: number;
  type: string;
}

type SinkChoice = 'auto' | 'picker' | 'opfs' | 'memory';

/** Asks the user for a file's place, if that is wanted or the best there is: before anything waits, in the click. */
export async function askForTarget(file: Wanted, sink: SinkChoice): Promise<Target | undefined> {
  const { showSaveFilePicker } = globalThis as SavePicker;
  const clicked = navigator.userActivation?.isActive ?? false;
  if (sink !== 'picker' && !(sink === 'auto' && clicked && showSaveFilePicker)) return undefined;
  return picked(file, showSaveFilePicker, sink === 'auto');
}

/** Finds a file's place without asking. */
export async function findTarget(file: Wanted, sink: SinkChoice): Promise<Target> {
  if (sink !== 'memory') {
    const target = await privateFile(file);
    if (target) return target;
    if (sink === 'opfs')
      throw new ParleyError('disk_failed', 'This browser has no private file system here. Use another way to save.');
  }
  if (file.size > MOST_IN_MEMORY) {
    throw new ParleyError(
      'too_big',
      'This browser can receive files of up to 500 MB. Use Chrome, Edge or Firefox, not in private mode.',
    );
  }
  return { mode: 'memory', type: file.type };
}

async function picked(
  file: Wanted,
  picker: SavePicker['showSaveFilePicker'],
  mayFallBack: boolean,
): Promise<Target | undefined> {
  if (!picker)
    throw new ParleyError('unsupported_browser', 'This browser cannot ask where to save. Save it as a download.');
  try {
    return { mode: 'picker', handle: await picker.call(globalThis, { suggestedName: file.name }) };
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') {
      throw new ParleyError('picker_cancelled', 'No place was chosen. Accept the file again to choose one.', true);
    }
    if (mayFallBack) return undefined; // not allowed in this frame, or the click is too long ago
    throw new ParleyError('disk_failed', undefined, true, undefined, { cause: error });
  }
}

async function privateFile(file: Wanted): Promise<Target | undefined> {
  if (typeof navigator.storage?.getDirectory !== 'function') return undefined;
  try {
    await navigator.storage.getDirectory();
  } catch {
    return undefined; // private windows of some browsers
  }
  const { quota, usage } = await navigator.storage.estimate().catch(() => ({ quota: undefined, usage: undefined }));
  if (quota !== undefined && file.size > quota - (usage ?? 0)) throw new ParleyError('disk_full');
  return { mode: 'opfs', name: keepPrivateFile(file.id) };
}
