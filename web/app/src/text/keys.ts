// Keyboard shortcuts: one key each, only while nobody is typing.

export type Action = 'microphone' | 'camera' | 'screen' | 'chat' | 'people' | 'file' | 'invite' | 'help' | 'back';

export interface Shortcut {
  key: string;
  action: Action;
  does: string;
}

export const shortcuts: readonly Shortcut[] = [
  { key: 'm', action: 'microphone', does: 'Microphone on or off' },
  { key: 'v', action: 'camera', does: 'Camera on or off' },
  { key: 's', action: 'screen', does: 'Share your screen, or stop' },
  { key: 'c', action: 'chat', does: 'Open or close the chat' },
  { key: 'p', action: 'people', does: 'Open or close the list of people' },
  { key: 'f', action: 'file', does: 'Send a file to everyone' },
  { key: 'i', action: 'invite', does: 'Invite others' },
  { key: '?', action: 'help', does: 'Show these shortcuts' },
  { key: 'Escape', action: 'back', does: 'Close what is open, or unpin' },
];

export interface KeyPress {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
  repeat: boolean;
  /** The event's target is a place to type in, or a dialog or menu is open. */
  busy: boolean;
}

/** What a key press asks for. Escape works even with shortcuts switched off. */
export function actionFor(press: KeyPress, enabled: boolean): Action | undefined {
  if (press.busy || press.repeat || press.ctrlKey || press.metaKey || press.altKey) return undefined;
  const key = press.key.length === 1 ? press.key.toLowerCase() : press.key;
  const found = shortcuts.find((s) => s.key === key);
  if (!found) return undefined;
  return enabled || found.action === 'back' ? found.action : undefined;
}

/** The key of an action, for a button's title: "Mute (m)". */
export function keyOf(action: Action): string {
  return shortcuts.find((s) => s.action === action)?.key ?? '';
}

/** Whether the target of a key event takes text, so that letters belong to it. */
export function takesText(target: EventTarget | null): boolean {
  const el = target as Partial<HTMLElement> | null;
  if (!el || typeof el.tagName !== 'string') return false;
  if (el.isContentEditable) return true;
  if (el.tagName === 'TEXTAREA' || el.tagName === 'SELECT') return true;
  if (el.tagName !== 'INPUT') return false;
  return !['button', 'checkbox', 'radio', 'range', 'file', 'submit'].includes((el as HTMLInputElement).type);
}
