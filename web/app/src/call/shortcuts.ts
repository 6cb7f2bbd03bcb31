// Binds the keyboard map to what it does, for as long as the call is on show.
import { useEffect } from 'preact/hooks';
import { toggleCamera, toggleMicrophone, toggleScreen } from '../state/own';
import { settings } from '../state/settings';
import { back, dialog, togglePanel } from '../state/view';
import { type Action, actionFor, takesText } from '../text/keys';

export function useShortcuts(pickFile: () => void): void {
  useEffect(() => {
    const does: Record<Action, () => unknown> = {
      microphone: toggleMicrophone,
      camera: toggleCamera,
      screen: toggleScreen,
      chat: () => togglePanel('chat'),
      people: () => togglePanel('people'),
      file: pickFile,
      invite: () => {
        dialog.value = 'invite';
      },
      help: () => {
        dialog.value = 'help';
      },
      back,
    };
    const pressed = (event: KeyboardEvent) => {
      const typing = takesText(event.target) && event.key !== 'Escape';
      const inside = document.querySelector('dialog[open], [popover]:popover-open') !== null;
      const action = actionFor({ ...modifiers(event), busy: typing || inside }, settings.value.shortcuts);
      if (!action) return;
      event.preventDefault();
      does[action]();
    };
    addEventListener('keydown', pressed);
    return () => removeEventListener('keydown', pressed);
  }, []);
}

function modifiers(e: KeyboardEvent) {
  return { key: e.key, ctrlKey: e.ctrlKey, metaKey: e.metaKey, altKey: e.altKey, repeat: e.repeat };
}
