// Who is here, how each does, and for moderators what can be done about it.
import { can, locked, others, people, room, speaking } from '../state/call';
import { attempt } from '../state/notices';
import type { Person } from '../state/people';
import { dialog, dropOn, pinned, writeTo } from '../state/view';
import { Avatar } from '../ui/avatar';
import {
  CameraIcon,
  CameraOffIcon,
  ChatIcon,
  ClipIcon,
  CloseIcon,
  LinkIcon,
  LockIcon,
  MicIcon,
  MicOffIcon,
  PinIcon,
  ScreenIcon,
  ScreenOffIcon,
  UnlockIcon,
  UnpinIcon,
} from '../ui/icons';
import { Menu, MenuItem } from '../ui/menu';
import { Away } from './away';
import { copyInvite } from './invite';
import { Quality } from './quality';
import { Side } from './side';

export function PeoplePanel({ onFile }: { onFile: (to: string) => void }) {
  const moderates = can.value.has('moderate');
  const messages = can.value.has('message');
  return (
    <Side title={`People (${people.value.length})`} testid="people-panel">
      <ul class="side-body people-list">
        {people.value.map((p) => (
          <Row key={p.id} person={p} moderates={moderates} messages={messages} onFile={onFile} />
        ))}
      </ul>
      <div class="side-foot">
        <button type="button" class="button" onClick={() => void copyInvite()}>
          <LinkIcon size={20} /> Copy invite link
        </button>
        {messages && (
          <button
            type="button"
            class="button"
            disabled={others.value.length === 0}
            data-testid="file-all"
            onClick={() => onFile('')}
          >
            <ClipIcon size={20} /> Send a file to everyone
          </button>
        )}
        {moderates && <RoomActions />}
      </div>
    </Side>
  );
}

function RoomActions() {
  const shut = locked.value;
  return (
    <>
      <button
        type="button"
        class="button"
        data-testid="lock"
        onClick={() => void attempt(async () => room.value?.moderate(shut ? 'unlock' : 'lock'))}
      >
        {shut ? <UnlockIcon size={20} /> : <LockIcon size={20} />} {shut ? 'Unlock the room' : 'Lock the room'}
      </button>
      <button
        type="button"
        class="button danger"
        data-testid="end"
        onClick={() => {
          dialog.value = 'end';
        }}
      >
        End the call for everyone
      </button>
    </>
  );
}

interface RowProps {
  person: Person;
  moderates: boolean;
  messages: boolean;
  onFile: (to: string) => void;
}

function Row({ person: p, moderates, messages, onFile }: RowProps) {
  const away = p.awaySince;
  const talks = away === undefined && p.microphone === 'live' && speaking.value.includes(p.id);
  const over = dropOn.value === p.id;
  return (
    <li
      class={`person${talks ? ' speaking' : ''}${over ? ' over' : ''}${away === undefined ? '' : ' away'}`}
      data-person={p.id}
      data-testid="person"
    >
      <Avatar id={p.id} name={p.name} />
      <span class="person-name">
        {p.name}
        {p.me && <span class="quiet"> (you)</span>}
        {away !== undefined && (
          <span class="person-away small quiet">
            <Away since={away} />
          </span>
        )}
      </span>
      <span class="states">
        {away === undefined && <Quality person={p} stream="camera" />}
        {p.screen !== 'none' && <State icon={ScreenIcon} says="Shares the screen" />}
        {p.camera === 'live' ? (
          <State icon={CameraIcon} says="Camera on" />
        ) : (
          <State icon={CameraOffIcon} says="Camera off" off />
        )}
        {p.microphone === 'live' ? (
          <State icon={MicIcon} says="Microphone on" />
        ) : (
          <State icon={MicOffIcon} says="Microphone off" off />
        )}
      </span>
      {p.me ? (
        <span class="spacer" />
      ) : (
        <RowMenu person={p} moderates={moderates} messages={messages} onFile={onFile} />
      )}
    </li>
  );
}

function State({ icon: I, says, off = false }: { icon: typeof MicIcon; says: string; off?: boolean }) {
  return (
    <span class={off ? 'off' : ''} title={says}>
      <I size={18} />
      <span class="unseen">{says}</span>
    </span>
  );
}

function RowMenu({ person: p, moderates, messages, onFile }: RowProps) {
  const isPinned = pinned.value === p.id;
  const ask = (...args: Parameters<NonNullable<typeof room.value>['moderate']>) =>
    void attempt(async () => room.value?.moderate(...args));
  return (
    <Menu label={`Actions for ${p.name}`} class="tight" testid="person-menu">
      <MenuItem
        icon={isPinned ? UnpinIcon : PinIcon}
        onClick={() => {
          pinned.value = isPinned ? undefined : p.id;
        }}
      >
        {isPinned ? 'Unpin' : 'Pin'}
      </MenuItem>
      {messages && (
        <>
          <MenuItem icon={ChatIcon} testid="write-to" onClick={() => writeTo(p.id)}>
            Write privately
          </MenuItem>
          <MenuItem icon={ClipIcon} testid="file-to" onClick={() => onFile(p.id)}>
            Send a file
          </MenuItem>
        </>
      )}
      {moderates && (
        <>
          <hr />
          {p.microphone === 'live' && (
            <MenuItem icon={MicOffIcon} testid="mute" onClick={() => ask('mute', p.id, 'microphone')}>
              Mute the microphone
            </MenuItem>
          )}
          {p.camera === 'live' && (
            <MenuItem icon={CameraOffIcon} testid="mute-camera" onClick={() => ask('mute', p.id, 'camera')}>
              Switch the camera off
            </MenuItem>
          )}
          {p.screen === 'live' && (
            <MenuItem icon={ScreenOffIcon} onClick={() => ask('mute', p.id, 'screen')}>
              Stop the screen share
            </MenuItem>
          )}
          <MenuItem icon={CloseIcon} testid="remove" onClick={() => ask('remove', p.id, undefined, false)}>
            Remove from the room
          </MenuItem>
          <MenuItem icon={CloseIcon} danger testid="keep-out" onClick={() => ask('remove', p.id)}>
            Remove and keep out
          </MenuItem>
        </>
      )}
    </Menu>
  );
}
