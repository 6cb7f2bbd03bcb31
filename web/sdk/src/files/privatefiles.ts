import { FOLDER } from './sinks';

// Received files live in the origin's private file system until they are saved, given up, or their room is left. Each
// page holds a lock for each of its files: those of pages that ended otherwise have none, and the next page removes them.

const LOCK = 'parley-file-';
const holding = new Map<string, () => void>();

/** Names a file for the transfer and keeps it from being taken for a leftover as long as this page lives. */
export function keepPrivateFile(transfer: string): string {
  const name = `${transfer}-${crypto.randomUUID()}`;
  void navigator.locks?.request(LOCK + name, () => new Promise<void>((release) => holding.set(name, release)));
  return name;
}

/** Removes a file of ours. */
export async function removePrivateFile(name: string): Promise<void> {
  try {
    const root = await navigator.storage.getDirectory();
    const folder = await root.getDirectoryHandle(FOLDER);
    await folder.removeEntry(name);
  } catch {
    // Never written, or in use for a moment longer: then it is a leftover.
  }
  holding.get(name)?.();
  holding.delete(name);
}

interface Folder extends FileSystemDirectoryHandle {
  keys(): AsyncIterableIterator<string>;
}

/** Removes received files that pages left behind which ended without leaving their room. A join does it too. */
export async function removeLeftovers(): Promise<void> {
  if (typeof navigator === 'undefined' || !navigator.locks) return;
  if (typeof navigator.storage?.getDirectory !== 'function') return;
  try {
    const root = await navigator.storage.getDirectory();
    const folder = (await root.getDirectoryHandle(FOLDER)) as Folder;
    for await (const name of folder.keys()) {
      await navigator.locks.request(LOCK + name, { ifAvailable: true }, async (lock) => {
        if (lock) await folder.removeEntry(name);
      });
    }
  } catch {
    // No such folder yet, or storage is off limits: nothing to remove.
  }
}
