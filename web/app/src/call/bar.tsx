// The bar: microphone, camera, screen, chat, people, leave.
import { can, leave, others, people, unread } from '../state/call';
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
import { panel, togglePanel } from '../state/view';
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
  const publish = can.value.has('publish');
  const mic = microphoneOn.value;
  const cam = cameraOn.value;
  const screen = screenOn.value;
  const news = unread.value;
  return (
    <nav class="bar" aria-label="Call">
      {publish && (
        <>
          <IconButton
            icon={mic ? MicIcon : MicOffIcon}
            label="Microphone"
            hint={keyOf('microphone')}
            pressed={mic}
            class={mic ? '' : 'off'}
            disabled={switching.value.has('microphone')}
            testid="microphone"
            onClick={() => void toggleMicrophone()}
          />
          <IconButton
            icon={cam ? CameraIcon : CameraOffIcon}
            label="Camera"
            hint={keyOf('camera')}
            pressed={cam}
            class={cam ? '' : 'off'}
            disabled={switching.value.has('camera')}
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
              disabled={switching.value.has('screen')}
              testid="screen"
              onClick={() => void toggleScreen()}
            />
          )}
          <span class="gap" />
        </>
      )}
      <IconButton
        icon={ChatIcon}
        label={news > 0 ? `Chat, ${news} unread` : 'Chat'}
        hint={keyOf('chat')}
        expanded={panel.value === 'chat'}
        class={panel.value === 'chat' ? 'on' : ''}
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
        label={`People, ${people.value.length} here`}
        hint={keyOf('people')}
        expanded={panel.value === 'people'}
        class={panel.value === 'people' ? 'on' : ''}
        testid="people"
        onClick={() => togglePanel('people')}
      >
        {others.value.length > 0 && <span class="badge calm number">{people.value.length}</span>}
      </IconButton>
      <span class="gap" />
      <IconButton icon={LeaveIcon} label="Leave" class="leave" size={26} testid="leave" onClick={() => void leave()} />
    </nav>
  );
}
