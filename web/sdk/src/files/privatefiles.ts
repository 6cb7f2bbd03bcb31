import { FOLDER } from './sinks';

// Received files live in the origin's private file system until their page is gone: nobody tells us when the browser
// has finished copying a download. Each page holds a lock for its files; the next page removes those without one.

const LOCK = 'parley-file-';

/** Names a file for the transfer and keeps it from being removed as long as this page lives. */
export function keepPrivateFile(transfer: string): string {
  const name = `${transfer}-${crypto.randomUUID()}`;
  void navigator.locks?.request(LOCK + name, () => new Promise(() => {})); // held until the page is gone
  return name;
}

interface Folder extends FileSystemDirectoryHandle {
  keys(): AsyncIterableIterator<string>;
}

/** Removes the files of pages that are gone. */
export async function removeLeftovers(): Promise<void> {
  if (typeof navigator.storage?.getDirectory !== 'function' || !navigator.locks) return;
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
