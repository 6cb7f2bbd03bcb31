// The bar: microphone, camera, screen, chat, people, leave.
import { can, leave, others, people, unread } from '../state/call';
import { knocks } from '../state/knocks';
import {
  cameraOn,
  canShareScreen,
  microphoneOn,
  screenOn,
  switching,
  toggleCamera,
  toggleMicrophone,
  toggleScreen,
} from '../state/own';
import { unsaved } from '../state/transfers';
import { dialog, panel, togglePanel } from '../state/view';
import { keyOf } from '../text/keys';
import { IconButton } from '../ui/button';
import {
  CameraIcon,
  CameraOffIcon,
  ChatIcon,
  LeaveIcon,
  MicIcon,
  MicOffIcon,
  PeopleIcon,
  ScreenIcon,
  ScreenOffIcon,
} from '../ui/icons';

export function Bar() {
  return (
    <nav class="bar" aria-label="Call">
      {can.value.has('publish') && <Own />}
      <Panels />
      <span class="gap" />
      <IconButton icon={LeaveIcon} label="Leave" class="leave" size={26} testid="leave" onClick={askToLeave} />
    </nav>
  );
}

// What was received and not saved goes when the room is left.
function askToLeave(): void {
  if (unsaved.value.length > 0) dialog.value = 'unsaved';
  else void leave();
}

function Own() {
  const mic = microphoneOn.value;
  const cam = cameraOn.value;
  const screen = screenOn.value;
  const busy = switching.value;
  return (
    <>
      <IconButton
        icon={mic ? MicIcon : MicOffIcon}
        label="Microphone"
        hint={keyOf('microphone')}
        pressed={mic}
        class={mic ? '' : 'off'}
        disabled={busy.has('microphone')}
        testid="microphone"
        onClick={() => void toggleMicrophone()}
      />
      <IconButton
        icon={cam ? CameraIcon : CameraOffIcon}
        label="Camera"
        hint={keyOf('camera')}
        pressed={cam}
        class={cam ? '' : 'off'}
        disabled={busy.has('camera')}
        testid="camera"
        onClick={() => void toggleCamera()}
      />
      {canShareScreen() && (
        <IconButton
          icon={screen ? ScreenOffIcon : ScreenIcon}
          label="Share your screen"
          hint={keyOf('screen')}
          pressed={screen}
          class={screen ? 'on' : ''}
          disabled={busy.has('screen')}
          testid="screen"
          onClick={() => void toggleScreen()}
        />
      )}
      <span class="gap" />
    </>
  );
}

function Panels() {
  const news = unread.value;
  const waits = knocks.value.length;
  const open = panel.value;
  return (
    <>
      <IconButton
        icon={ChatIcon}
        label={news > 0 ? `Chat, ${news} unread` : 'Chat'}
        hint={keyOf('chat')}
        expanded={open === 'chat'}
        class={open === 'chat' ? 'on' : ''}
        testid="chat"
        onClick={() => togglePanel('chat')}
      >
        {news > 0 && (
          <span class="badge number" data-testid="unread">
            {news > 99 ? '99+' : news}
          </span>
        )}
      </IconButton>
      <IconButton
        icon={PeopleIcon}
        label={`People, ${people.value.length} here${waits > 0 ? `, ${waits} waiting` : ''}`}
        hint={keyOf('people')}
        expanded={open === 'people'}
        class={open === 'people' ? 'on' : ''}
        testid="people"
        onClick={() => togglePanel('people')}
      >
        {waits > 0 ? (
          <span class="badge number" data-testid="waiting-badge">
            {waits > 99 ? '99+' : waits}
          </span>
        ) : (
          others.value.length > 0 && <span class="badge calm number">{people.value.length}</span>
        )}
      </IconButton>
    </>
  );
}
