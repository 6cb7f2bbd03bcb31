// The check before joining: picture, microphone level, devices, name, one button.
import { useEffect, useState } from 'preact/hooks';
import { join, phase } from '../state/call';
import {
  type CheckKind,
  camera,
  followDevices,
  forgetCheck,
  handOver,
  mayCapture,
  microphone,
  startCheck,
  stopCheck,
  want,
} from '../state/check';
import { problemOfDevice } from '../state/notices';
import { presence } from '../state/presence';
import { go, readToken, tokenFor } from '../state/route';
import { settings } from '../state/settings';
import { type Problem, problem } from '../text/problems';
import { DeviceChoice } from '../ui/devicechoice';
import { DownIcon, MicIcon, MicOffIcon } from '../ui/icons';
import { Logo } from '../ui/logo';
import { NameField } from '../ui/namefield';
import { ProblemNote } from '../ui/note';
import { Meter, Preview } from './preview';
import { RoomPresence, useRoomPresence } from './roompresence';

export function CheckPage({ room }: { room: string }) {
  const token = tokenFor(room);
  const claimed = readToken(token).name ?? '';
  const [name, setName] = useState(settings.value.name || claimed);
  const [fault, setFault] = useState('');
  const busy = phase.value === 'joining';
  useRoomPresence(room);
  useEffect(() => {
    document.title = `${room} · Parley`;
    startCheck();
    const stop = followDevices();
    return () => {
      stop();
      // While joining the tracks belong to the call.
      if (phase.value === 'out') stopCheck();
      else forgetCheck();
    };
  }, [room]);

  const submit = (event: Event) => {
    event.preventDefault();
    const given = name.trim();
    if (!given && !claimed) {
      setFault('Type your name, so that the others know who you are.');
      document.getElementById('name')?.focus();
      return;
    }
    void join({ room, name: given, token, tracks: handOver() });
  };

  return (
    <div class="page checking">
      <header>
        <a
          class="wordmark"
          href="/"
          onClick={(e) => {
            e.preventDefault();
            go('/');
          }}
        >
          <Logo /> Parley
        </a>
      </header>
      <main>
        <div class="check" data-testid="check">
          <Preview name={name.trim() || claimed || 'You'} />
          <form class="check-form" onSubmit={submit}>
            <div>
              <h1>{room}</h1>
              <RoomPresence room={room} />
            </div>
            <NameField
              name={name}
              placeholder={claimed || undefined}
              fault={fault}
              onName={(now) => {
                setName(now);
                setFault('');
              }}
            />
            <Listening />
            <button type="submit" class="button primary wide" disabled={busy} data-testid="join">
              {busy ? (
                <>
                  <span class="spinner" /> Joining…
                </>
              ) : (
                joinLabel()
              )}
            </button>
            <Problems />
            {mayCapture() && <Choice />}
          </form>
        </div>
      </main>
    </div>
  );
}

// Open where there is room for it.
function Choice() {
  return (
    <details class="more" open={matchMedia('(min-width: 761px) and (min-height: 521px)').matches}>
      <summary>
        Devices <DownIcon size={18} />
      </summary>
      <DeviceChoice />
    </details>
  );
}

// Whether the microphone hears something; the line keeps its height when it is off.
function Listening() {
  const { track, wanted } = microphone.value;
  const I = wanted ? MicIcon : MicOffIcon;
  return (
    <div class="listening quiet">
      <I size={20} />
      {track ? (
        <Meter track={track} />
      ) : (
        <span class="small">{wanted ? 'Starting the microphone…' : 'Your microphone is off'}</span>
      )}
    </div>
  );
}

function joinLabel(): string {
  const mic = microphone.value.wanted;
  const cam = camera.value.wanted;
  if (mic && cam) return 'Join';
  if (mic) return 'Join without camera';
  if (cam) return 'Join muted';
  return 'Join muted, without camera';
}

function Problems() {
  const watched = presence.value;
  // The same token decides about joining: say it before the click.
  if (watched.kind === 'hidden' && watched.code === 'unauthorized')
    return <ProblemNote problem={problem('unauthorized')} testid="problem-token" />;
  if (!mayCapture()) return <ProblemNote problem={problem('insecure_page')} testid="problem-page" />;
  const mic = microphone.value;
  const cam = camera.value;
  if (mic.problem && mic.code === cam.code && (mic.code === 'permission_denied' || mic.code === 'no_device')) {
    const both = problemOfDevice({ code: mic.code }, 'camera or microphone');
    return <DeviceNote problem={both} kinds={['microphone', 'camera']} />;
  }
  return (
    <>
      {mic.problem && <DeviceNote problem={mic.problem} kinds={['microphone']} />}
      {cam.problem && <DeviceNote problem={cam.problem} kinds={['camera']} />}
    </>
  );
}

function DeviceNote({ problem: p, kinds }: { problem: Problem; kinds: CheckKind[] }) {
  return (
    <ProblemNote problem={p} testid={`problem-${kinds[0]}`}>
      <button type="button" class="button tight" onClick={() => kinds.map((kind) => want(kind, true))}>
        Try again
      </button>
    </ProblemNote>
  );
}
