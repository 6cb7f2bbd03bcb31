// What is open and what is pinned: the state of the screen, not of the call.
import { signal } from '@preact/signals';

export type Panel = 'chat' | 'people' | 'stats';
export type DialogName = 'devices' | 'help' | 'end' | 'unsaved' | 'invite';

export const panel = signal<Panel | undefined>(undefined);
export const dialog = signal<DialogName | undefined>(undefined);

/** The key of the pinned tile (layout/plan.ts). */
export const pinned = signal<string | undefined>(undefined);

/** To whom the next chat message goes; empty: everyone. */
export const chatTo = signal('');

/** What was typed and not sent: closing the panel keeps it. */
export const chatDraft = signal('');

/** A file is being dragged over the page: the person under it, 'all', or nothing. */
export const dropOn = signal<string | undefined>(undefined);

export function togglePanel(which: Panel): void {
  panel.value = panel.value === which ? undefined : which;
}

export function writeTo(person: string): void {
  chatTo.value = person;
  panel.value = 'chat';
}

/** Closes the topmost thing; says whether there was one. */
export function back(): boolean {
  if (panel.value) panel.value = undefined;
  else if (pinned.value) pinned.value = undefined;
  else return false;
  return true;
}

export function resetView(): void {
  panel.value = undefined;
  dialog.value = undefined;
  pinned.value = undefined;
  chatTo.value = '';
  chatDraft.value = '';
  dropOn.value = undefined;
}
