// Files dragged over the call: onto a person's tile or row they go to that person, elsewhere to everyone.
import { others } from '../state/call';
import { refuseFolders, sendFiles } from '../state/transfers';
import { dropOn } from '../state/view';

function carriesFiles(event: DragEvent): boolean {
  return event.dataTransfer?.types.includes('Files') === true;
}

function under(event: DragEvent): string {
  const el = (event.target as Element | null)?.closest<HTMLElement>('[data-person]');
  const id = el?.dataset.person ?? '';
  return others.value.some((p) => p.id === id) ? id : 'all';
}

// A folder comes as something that looks like a file and cannot be read: only its entry tells.
function dropped(data: DataTransfer | null): { files: File[]; folders: string[] } {
  const files: File[] = [];
  const folders: string[] = [];
  for (const item of data?.items ?? []) {
    const file = item.kind === 'file' ? item.getAsFile() : null;
    const entry = item.webkitGetAsEntry?.();
    if (entry?.isDirectory) folders.push(entry.name);
    else if (file) files.push(file);
  }
  return { files, folders };
}

/** To be spread on the element that covers the page. */
export const dropHandlers = {
  onDragOver(event: DragEvent): void {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    if (event.dataTransfer) event.dataTransfer.dropEffect = 'copy';
    const target = under(event);
    if (dropOn.value !== target) dropOn.value = target;
  },
  onDragLeave(event: DragEvent): void {
    // Leaving for nothing at all is leaving the window.
    if (event.relatedTarget === null) dropOn.value = undefined;
  },
  onDrop(event: DragEvent): void {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    dropOn.value = undefined;
    const target = under(event);
    const { files, folders } = dropped(event.dataTransfer);
    refuseFolders(folders);
    sendFiles(files, target === 'all' ? others.value.map((p) => p.id) : [target]);
  },
};
