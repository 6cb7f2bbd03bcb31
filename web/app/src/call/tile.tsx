// One picture: a person's camera or screen, with the name and what is off. A click pins it.
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Tile as TileAt } from '../layout/plan';
import { held, room, speaking } from '../state/call';
import { cameraTrack } from '../state/own';
import type { Person } from '../state/people';
import { dropOn, pinned } from '../state/view';
import { pausedLine } from '../text/quality';
import { Avatar } from '../ui/avatar';
import { MicOffIcon, PauseIcon, PinIcon, ScreenIcon, UnpinIcon } from '../ui/icons';
import { TrackVideo } from '../ui/trackvideo';
import { Away } from './away';
import { Quality } from './quality';

export function Tile({ tile, person }: { tile: TileAt; person: Person }) {
  const { rect } = tile;
  const screen = tile.stream === 'screen';
  const isPinned = pinned.value === tile.key;
  const away = person.awaySince;
  const talks = away === undefined && !screen && person.microphone === 'live' && speaking.value.includes(person.id);
  const lit = screen
    ? person.screen === 'live'
    : person.me
      ? cameraTrack.value !== undefined
      : person.camera === 'live';
  const paused = lit && !person.me ? held.value.get(tile.key) : undefined;
  const classes = ['tile', tile.role];
  if (screen) classes.push('fit');
  if (!lit) classes.push('dark');
  if (talks) classes.push('speaking');
  if (isPinned) classes.push('pinned');
  if (paused) classes.push('paused');
  if (away !== undefined) classes.push('away');
  if (person.me && !screen) classes.push('mirror');
  const who = label(person, screen);
  const Pin = isPinned ? UnpinIcon : PinIcon;
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for forms
    <div
      class={classes.join(' ')}
      style={{ width: `${rect.width}px`, height: `${rect.height}px`, transform: `translate(${rect.x}px, ${rect.y}px)` }}
      role="group"
      aria-label={describe(person, screen, talks, away === undefined && paused !== undefined)}
      data-testid="tile"
      data-person={person.id}
      data-name={person.name}
      data-stream={tile.stream}
      data-role={tile.role}
    >
      {!screen && (
        <div class="tile-face">
          <Avatar id={person.identity} name={person.name} />
        </div>
      )}
      {person.me && !screen ? (
        cameraTrack.value && <TrackVideo track={cameraTrack.value} label="Your camera" />
      ) : (
        <RemoteVideo person={person.id} stream={tile.stream} label={who} />
      )}
      <button
        type="button"
        class="tile-press"
        aria-label={`${isPinned ? 'Unpin' : 'Pin'} ${who}`}
        aria-pressed={isPinned}
        onClick={() => {
          pinned.value = isPinned ? undefined : tile.key;
        }}
      />
      {away !== undefined && (
        <span class="tile-away" aria-hidden="true">
          <Away since={away} />
        </span>
      )}
      {paused && away === undefined && (
        <span class="tile-paused" aria-hidden="true" data-testid="paused">
          <PauseIcon size={20} />
          <span>{pausedLine(paused)}</span>
        </span>
      )}
      <span class="tile-name">
        {screen && <ScreenIcon size={17} />}
        {!screen && person.microphone !== 'live' && (
          <span class="off">
            <MicOffIcon size={17} />
          </span>
        )}
        <span aria-hidden="true">{who}</span>
        {away === undefined && <Quality person={person} stream={tile.stream} />}
      </span>
      <span class="tile-pin" aria-hidden="true">
        <Pin size={18} />
      </span>
      {!screen && dropOn.value === person.id && <div class="tile-drop">Send to {person.name}</div>}
    </div>
  );
}

function RemoteVideo({ person, stream, label: name }: { person: string; stream: 'camera' | 'screen'; label: string }) {
  const ref = useRef<HTMLVideoElement>(null);
  const [upright, setUpright] = useState(false);
  const joined = room.value;
  useEffect(() => {
    if (ref.current && joined) return joined.attach(ref.current, person, stream);
  }, [joined, person, stream]);
  return (
    <video
      ref={ref}
      autoplay
      playsInline
      muted
      aria-label={name}
      class={upright ? 'whole' : ''}
      onResize={(e) => setUpright(e.currentTarget.videoHeight > e.currentTarget.videoWidth)}
    />
  );
}

function label(person: Person, screen: boolean): string {
  if (screen) return person.me ? 'Your screen' : `${person.name}’s screen`;
  return person.me ? 'You' : person.name;
}

/** A tile in words: "Ann, microphone off, camera off". */
export function describe(person: Person, screen: boolean, talks: boolean, paused = false): string {
  const parts = [label(person, screen)];
  if (person.awaySince !== undefined) parts.push('not reachable');
  if (paused) parts.push('video paused');
  if (screen) return parts.join(', ');
  if (talks) parts.push('speaking');
  if (person.microphone !== 'live') parts.push('microphone off');
  if (person.camera !== 'live') parts.push('camera off');
  return parts.join(', ');
}
