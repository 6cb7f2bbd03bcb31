import { download, LIFE } from './download';
import { removePrivateFile } from './privatefiles';

const MOST_COPIED = 256 << 20; // bytes of saved files in memory
const SLOW = 5 << 20; // bytes a second that the slowest disk takes

let copied = 0;

/**
 * A received file, until it is saved or given up. Nobody tells us when the browser has finished a download, and one
 * whose file is removed meanwhile breaks off. So a file that fits is saved from memory, and its place in the browser's
 * storage is free at once; a large one is removed when even a slow disk has it.
 */
export class Kept {
  #blob: Blob | undefined;
  #private: string | undefined; // its name in the private file system
  #copied = 0;
  #saving = false;
  #end: ReturnType<typeof setTimeout> | undefined;
  readonly #gone: () => void;

  /** `gone` is called when there is nothing to save any more. */
  constructor(blob: Blob, privateName: string | undefined, gone: () => void) {
    this.#blob = blob;
    this.#private = privateName;
    this.#gone = gone;
  }

  async save(name: string): Promise<void> {
    const again = this.#saving;
    this.#saving = true;
    if (this.#private !== undefined && !again) await this.#copy(this.#private);
    if (!this.#blob) return;
    download(this.#blob, name);
    clearTimeout(this.#end);
    this.#end = setTimeout(() => this.#remove(), this.#downloaded());
  }

  /** Removes it; a download that is under way is let finish, as far as the page lives. */
  drop(): void {
    if (this.#saving && this.#private !== undefined) return;
    this.#remove();
  }

  async #copy(privateName: string): Promise<void> {
    const blob = this.#blob;
    if (!blob || copied + blob.size > MOST_COPIED) return;
    copied += blob.size;
    this.#copied = blob.size;
    try {
      this.#blob = new Blob([await blob.arrayBuffer()], { type: blob.type });
    } catch {
      return; // no memory for it: saved from where it is
    }
    this.#private = undefined;
    void removePrivateFile(privateName);
  }

  /** ms after which the browser has surely written it. */
  #downloaded(): number {
    return LIFE + ((this.#blob?.size ?? 0) * 1000) / SLOW;
  }

  #remove(): void {
    clearTimeout(this.#end);
    if (!this.#blob) return;
    this.#blob = undefined;
    copied -= this.#copied;
    this.#copied = 0;
    if (this.#private !== undefined) void removePrivateFile(this.#private);
    this.#gone();
  }
}
