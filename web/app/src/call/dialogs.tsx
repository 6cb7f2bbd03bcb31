// The dialogs of a call: inviting, devices, shortcuts, ending it for everyone.
import { leave, room } from '../state/call';
import { attempt } from '../state/notices';
import { saveSettings, settings } from '../state/settings';
import { saveFiles, unsaved } from '../state/transfers';
import { type DialogName, dialog } from '../state/view';
import { names } from '../text/format';
import { shortcuts } from '../text/keys';
import { DeviceChoice } from '../ui/devicechoice';
import { Dialog } from '../ui/dialog';
import { lazy } from '../ui/lazy';

const InviteDialog = lazy(() => import('./invite').then((m) => m.InviteDialog));

export function Dialogs() {
  if (dialog.value === 'invite') return <InviteDialog />;
  if (dialog.value === 'devices') return <DevicesDialog />;
  if (dialog.value === 'help') return <HelpDialog />;
  if (dialog.value === 'end') return <EndDialog />;
  if (dialog.value === 'unsaved') return <UnsavedDialog />;
  return null;
}

// Closes one dialog; a close event that comes late must not take the next one away.
function closer(name: DialogName): () => void {
  return () => {
    if (dialog.value === name) dialog.value = undefined;
  };
}

const closeDevices = closer('devices');
const closeHelp = closer('help');
const closeEnd = closer('end');
const closeUnsaved = closer('unsaved');

function DevicesDialog() {
  return (
    <Dialog title="Camera, microphone, speaker" testid="devices-dialog" onClose={closeDevices}>
      <DeviceChoice inCall />
      <label class="toggle">
        <input
          type="checkbox"
          checked={settings.value.sounds}
          onChange={(e) => saveSettings({ sounds: e.currentTarget.checked })}
        />
        A soft sound when somebody asks to join
      </label>
      <div class="dialog-foot">
        <button type="button" class="button primary" onClick={closeDevices}>
          Done
        </button>
      </div>
    </Dialog>
  );
}

function HelpDialog() {
  return (
    <Dialog title="Keyboard shortcuts" testid="help-dialog" onClose={closeHelp}>
      <dl class="shortcuts">
        {shortcuts.map((s) => (
          <div key={s.key}>
            <dt>
              <kbd>{s.key === 'Escape' ? 'Esc' : s.key}</kbd>
            </dt>
            <dd>{s.does}</dd>
          </div>
        ))}
      </dl>
      <label class="toggle">
        <input
          type="checkbox"
          checked={settings.value.shortcuts}
          onChange={(e) => saveSettings({ shortcuts: e.currentTarget.checked })}
        />
        Single-key shortcuts are on
      </label>
    </Dialog>
  );
}

function EndDialog() {
  return (
    <Dialog title="End the call for everyone?" testid="end-dialog" onClose={closeEnd}>
      <p>Everybody is taken out of the room, and its chat is gone.</p>
      <div class="dialog-foot">
        <button type="button" class="button" onClick={closeEnd}>
          Keep talking
        </button>
        <button
          type="button"
          class="button danger"
          data-testid="end-confirm"
          onClick={() => {
            closeEnd();
            void attempt(async () => room.value?.moderate('end'));
          }}
        >
          End it
        </button>
      </div>
    </Dialog>
  );
}

function UnsavedDialog() {
  const files = unsaved.value;
  const one = files.length === 1;
  const end = (save: boolean) => {
    closeUnsaved();
    if (save) void saveFiles(files.map((c) => c.id));
    else void leave();
  };
  return (
    <Dialog
      title={one ? 'A file is not saved' : `${files.length} files are not saved`}
      testid="unsaved-dialog"
      onClose={closeUnsaved}
    >
      <p>
        You received {names(files.map((c) => c.name))}. Leaving removes {one ? 'it' : 'them'} from this browser.
      </p>
      <div class="dialog-foot">
        <button type="button" class="button" data-testid="leave-unsaved" onClick={() => end(false)}>
          Leave without
        </button>
        <button type="button" class="button primary" data-testid="save-unsaved" onClick={() => end(true)}>
          {one ? 'Save it' : 'Save them'}
        </button>
      </div>
    </Dialog>
  );
}
