// What must be seen at the top of the stage: the connection, blocked sound, one's own screen, short notes.
import { audioBlocked, can, connection, lostSince, media, room } from '../state/call';
import { attempt, dismissNotice, notices } from '../state/notices';
import { screenOn, toggleScreen } from '../state/own';
import { IconButton } from '../ui/button';
import { CloseIcon, ScreenIcon, SpeakerIcon, WarnIcon } from '../ui/icons';
import { lazy } from '../ui/lazy';
import { useNow } from '../ui/now';

const Knocks = lazy(() => import('./knocks').then((m) => m.KnockToast));

export function Banners() {
  return (
    <div class="banners">
      <Connection />
      {can.value.has('moderate') && <Knocks />}
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
  if (connection.value === 'reconnecting') return <Reconnecting />;
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

function Reconnecting() {
  const seconds = (useNow() - lostSince.value) / 1000;
  return (
    <div class="banner" data-testid="reconnecting">
      <span class="spinner" />
      <span>
        <strong>Connection lost, reconnecting by itself.</strong> {meanwhile(seconds, media.value === 'connected')}
      </span>
      <TryAgain />
    </div>
  );
}

/** What a lost connection means for who is talking, and when to look for the fault at home. */
export function meanwhile(seconds: number, flows: boolean): string {
  if (flows) return 'Sound and picture go on meanwhile.';
  if (seconds < 20) return 'Nothing gets through at the moment.';
  return 'Nothing gets through. Check your network; you come back in by yourself.';
}

function TryAgain() {
  return (
    <button type="button" class="button tight" data-testid="retry" onClick={() => room.value?.retry()}>
      Try again
    </button>
  );
}
