/** Where a received file goes. */
export type Target =
  | { mode: 'picker'; handle: FileSystemFileHandle }
  | { mode: 'opfs'; name: string }
  | { mode: 'memory'; type: string };

/** Takes a file's bytes in order. */
export interface Sink {
  write(chunk: Uint8Array<ArrayBuffer>): Promise<void> | void;
  /** The blob to save, unless the file is where it belongs already. */
  close(): Promise<Blob | undefined>;
  abort(): Promise<void>;
}

/** The folder in the origin's private file system that holds received files until the page is gone. */
export const FOLDER = 'parley-files';

export async function openSink(target: Target): Promise<Sink> {
  switch (target.mode) {
    case 'picker':
      return handleSink(target.handle, undefined);
    case 'opfs': {
      const root = await navigator.storage.getDirectory();
      const folder = await root.getDirectoryHandle(FOLDER, { create: true });
      const handle = await folder.getFileHandle(target.name, { create: true });
      const remove = () => folder.removeEntry(target.name);
      return hasSync(handle) ? syncSink(handle, remove) : handleSink(handle, remove);
    }
    case 'memory':
      return memorySink(target.type);
  }
}

// Not in TypeScript's DOM library for pages: workers have it.
interface SyncHandle {
  write(chunk: Uint8Array, options: { at: number }): number;
  flush(): void;
  close(): void;
}
interface SyncFile extends FileSystemFileHandle {
  createSyncAccessHandle(): Promise<SyncHandle>;
}

function hasSync(handle: FileSystemFileHandle): handle is SyncFile {
  return 'createSyncAccessHandle' in handle && typeof document === 'undefined';
}

async function syncSink(handle: SyncFile, remove: () => Promise<void>): Promise<Sink> {
  const access = await handle.createSyncAccessHandle();
  let at = 0;
  return {
    write(chunk) {
      const written = access.write(chunk, { at });
      if (written < chunk.length) throw new DOMException('the disk took only a part', 'QuotaExceededError');
      at += written;
    },
    async close() {
      access.flush();
      access.close();
      return handle.getFile();
    },
    async abort() {
      access.close();
      await remove();
    },
  };
}

async function handleSink(handle: FileSystemFileHandle, remove: (() => Promise<void>) | undefined): Promise<Sink> {
  const stream = await handle.createWritable();
  return {
    write: (chunk) => stream.write(chunk),
    async close() {
      await stream.close();
      return remove ? handle.getFile() : undefined;
    },
    async abort() {
      await stream.abort();
      await remove?.();
    },
  };
}

const PART = 8 << 20; // bytes gathered before they become a blob, which the browser may move to its disk

function memorySink(type: string): Sink {
  let blobs: Blob[] = [];
  let chunks: Uint8Array<ArrayBuffer>[] = [];
  let waiting = 0;
  const gather = () => {
    if (chunks.length > 0) blobs.push(new Blob(chunks));
    chunks = [];
    waiting = 0;
  };
  return {
    write(chunk) {
      chunks.push(chunk);
      waiting += chunk.length;
      if (waiting >= PART) gather();
    },
    async close() {
      gather();
      return new Blob(blobs, { type });
    },
    async abort() {
      blobs = [];
      chunks = [];
    },
  };
}
