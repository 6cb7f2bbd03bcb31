// One's own picture before the call, with the two switches and the microphone's level.
import { useEffect, useState } from 'preact/hooks';
import { backend } from '../backend';
import { type CheckDevice, type CheckKind, camera, mayCapture, microphone, want } from '../state/check';
import { Avatar } from '../ui/avatar';
import { IconButton } from '../ui/button';
import { CameraIcon, CameraOffIcon, MicIcon, MicOffIcon } from '../ui/icons';
import { TrackVideo } from '../ui/trackvideo';

export function Preview({ name }: { name: string }) {
  const cam = camera.value;
  return (
    <div class="preview">
      {cam.track ? (
        <TrackVideo track={cam.track} label="Your camera" />
      ) : (
        <div class="preview-empty">
          <Avatar id={name} name={name} class="preview-face" />
          <span>{cam.opening ? 'Starting the camera…' : 'Your camera is off'}</span>
        </div>
      )}
      <div class="preview-bar">
        <Switch kind="microphone" state={microphone.value} />
        <Switch kind="camera" state={cam} />
      </div>
    </div>
  );
}

function Switch({ kind, state }: { kind: CheckKind; state: CheckDevice }) {
  const on = state.wanted;
  const icons = kind === 'camera' ? [CameraIcon, CameraOffIcon] : [MicIcon, MicOffIcon];
  const label = kind === 'camera' ? 'Camera' : 'Microphone';
  return (
    <IconButton
      icon={(on ? icons[0] : icons[1]) as typeof CameraIcon}
      label={label}
      pressed={on}
      class={on ? '' : 'off'}
      disabled={!mayCapture()}
      testid={`check-${kind}`}
      onClick={() => want(kind, !on)}
    />
  );
}

const steps = 16;

/** How loud the microphone is: sixteen lights. */
export function Meter({ track }: { track: MediaStreamTrack | undefined }) {
  const [lit, setLit] = useState(0);
  useEffect(() => {
    if (!track) return;
    const stop = backend().levelMeter(track, (level) => setLit(Math.round(Math.min(1, level) * steps)));
    return () => {
      stop();
      setLit(0);
    };
  }, [track]);
  return (
    // biome-ignore lint/a11y/useSemanticElements: sixteen lights are no native meter
    <div
      class="meter"
      role="meter"
      aria-label="Microphone level"
      aria-valuemin={0}
      aria-valuemax={steps}
      aria-valuenow={lit}
      data-testid="meter"
    >
      {Array.from({ length: steps }, (_, i) => (
        <i key={i} class={i < lit ? 'on' : ''} />
      ))}
    </div>
  );
}
