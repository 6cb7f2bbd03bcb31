// What must be seen at the top of the stage: the connection, blocked sound, one's own screen, short notes.
import { audioBlocked, connection, media, room } from '../state/call';
import { attempt, dismissNotice, notices } from '../state/notices';
import { screenOn, toggleScreen } from '../state/own';
import { IconButton } from '../ui/button';
import { CloseIcon, ScreenIcon, SpeakerIcon, WarnIcon } from '../ui/icons';

export function Banners() {
  return (
    <div class="banners">
      <Connection />
      {audioBlocked.value && (
        <div class="banner" data-testid="audio-blocked">
          <SpeakerIcon />
          <span>The browser keeps the sound off until you say so.</span>
          <button
            type="button"
            class="button primary tight"
            data-testid="start-audio"
            onClick={() => void attempt(async () => room.value?.startAudio())}
          >
            Turn sound on
          </button>
        </div>
      )}
      {screenOn.value && (
        <div class="banner own" data-testid="sharing">
          <ScreenIcon />
          <span>You are sharing your screen.</span>
          <button type="button" class="button tight" onClick={() => void toggleScreen()}>
            Stop
          </button>
        </div>
      )}
      {notices.value.map((n) => (
        <div class="banner plain" key={n.id} data-testid="notice">
          <span>
            <strong>{n.title}</strong>
            {n.advice && ` ${/[.:?!…]$/.test(n.title) ? '' : '· '}${n.advice}`}
          </span>
          <IconButton icon={CloseIcon} label="Dismiss" size={18} class="tight" onClick={() => dismissNotice(n.id)} />
        </div>
      ))}
    </div>
  );
}

// One banner about connections at a time, for as long as it is true: the worse one.
function Connection() {
  if (connection.value === 'reconnecting') {
    return (
      <div class="banner" data-testid="reconnecting">
        <span class="spinner" />
        <span>
          <strong>Connection lost, reconnecting.</strong> Sound and picture may go on meanwhile.
        </span>
        <TryAgain />
      </div>
    );
  }
  if (media.value === 'failed') {
    return (
      <div class="banner" data-testid="media-failed">
        <WarnIcon />
        <span>
          <strong>Sound and picture do not get through.</strong> Something, perhaps a firewall, holds them back. Still
          trying; another network may help.
        </span>
        <TryAgain />
      </div>
    );
  }
  if (media.value !== 'reconnecting') return null;
  return (
    <div class="banner" data-testid="media-reconnecting">
      <span class="spinner" />
      <span>
        <strong>Sound and picture are interrupted.</strong> Connecting them again.
      </span>
    </div>
  );
}

function TryAgain() {
  return (
    <button type="button" class="button tight" data-testid="retry" onClick={() => room.value?.retry()}>
      Try again
    </button>
  );
}
