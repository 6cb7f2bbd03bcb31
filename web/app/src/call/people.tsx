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
  InviteIcon,
  LockIcon,
  MicIcon,
  MicOffIcon,
  PinIcon,
  ScreenIcon,
  ScreenOffIcon,
  UnlockIcon,
  UnpinIcon,
  WarnIcon,
} from '../ui/icons';
import { lazy } from '../ui/lazy';
import { Menu, MenuItem } from '../ui/menu';
import { Away } from './away';
import { Quality } from './quality';
import { Side } from './side';

const WaitingList = lazy(() => import('./knocks').then((m) => m.WaitingList));
const KeptOut = lazy(() => import('./bans').then((m) => m.KeptOut));

export function PeoplePanel({ onFile }: { onFile: (to: string) => void }) {
  const moderates = can.value.has('moderate');
  const messages = can.value.has('message');
  return (
    <Side title={`People (${people.value.length})`} testid="people-panel">
      <div class="side-body people-list">
        {moderates && <WaitingList />}
        <ul aria-label="In the call">
          {people.value.map((p) => (
            <Row key={p.id} person={p} moderates={moderates} messages={messages} onFile={onFile} />
          ))}
        </ul>
        {moderates && <KeptOut />}
      </div>
      <div class="side-foot people-foot">
        <button
          type="button"
          class="button tight"
          onClick={() => {
            dialog.value = 'invite';
          }}
        >
          <InviteIcon size={20} /> Invite
        </button>
        {messages && (
          <button
            type="button"
            class="button tight"
            disabled={others.value.length === 0}
            data-testid="file-all"
            onClick={() => onFile('')}
          >
            <ClipIcon size={20} /> File to all
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
        class="button tight"
        data-testid="lock"
        onClick={() => void attempt(async () => room.value?.moderate(shut ? 'unlock' : 'lock'))}
      >
        {shut ? <UnlockIcon size={20} /> : <LockIcon size={20} />} {shut ? 'Unlock' : 'Lock room'}
      </button>
      <button
        type="button"
        class="button tight end"
        data-testid="end"
        onClick={() => {
          dialog.value = 'end';
        }}
      >
        End for all…
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
  const like = people.value.find((q) => q.id === p.like);
  const talks = away === undefined && p.microphone === 'live' && speaking.value.includes(p.id);
  const over = dropOn.value === p.id;
  return (
    <li
      class={`person${talks ? ' speaking' : ''}${over ? ' over' : ''}${away === undefined ? '' : ' away'}`}
      data-person={p.id}
      data-testid="person"
    >
      <Avatar id={p.identity} name={p.name} />
      <span class="person-name">
        <span class="name-line">
          <span class="cut">
            {p.name}
            {p.me && <span class="quiet"> (you)</span>}
          </span>
          {p.moderator && (
            <span class="mark" data-testid="mark-moderator">
              Moderator
            </span>
          )}
          {p.guest && (
            <span class="mark" data-testid="mark-guest">
              Guest
            </span>
          )}
        </span>
        {like && (
          <span class="small below warn" data-testid="mark-like">
            <WarnIcon size={16} /> Is called like {like.me ? 'you' : `${like.name}, the moderator`}
          </span>
        )}
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
            Remove
            <span class="small quiet below">They may come back</span>
          </MenuItem>
          <MenuItem icon={CloseIcon} danger testid="keep-out" onClick={() => ask('remove', p.id)}>
            Remove and keep out
            <span class="small quiet below">Also closes the link they came by</span>
          </MenuItem>
        </>
      )}
    </Menu>
  );
}
