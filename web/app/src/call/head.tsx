// The line above the stage: the room, how long, the way to invite others.
import { locked, since } from '../state/call';
import { dialog, panel } from '../state/view';
import { elapsed } from '../text/format';
import { keyOf } from '../text/keys';
import { ChartIcon, GearIcon, InviteIcon, KeyboardIcon, LockIcon, MoreIcon } from '../ui/icons';
import { Menu, MenuItem } from '../ui/menu';
import { useNow } from '../ui/now';

export function Head({ name }: { name: string }) {
  return (
    <header class="call-head">
      <h1 title={name}>{name}</h1>
      {locked.value && (
        <span class="meta" title="Who comes now must be let in">
          <LockIcon size={16} />
          <span class="unseen">The room is locked</span>
        </span>
      )}
      <Clock />
      <span class="spring" />
      <button
        type="button"
        class="button tight invite"
        aria-keyshortcuts={keyOf('invite')}
        title={`Invite others (${keyOf('invite')})`}
        data-testid="invite"
        onClick={() => open('invite')}
      >
        <InviteIcon size={20} /> Invite
      </button>
      <Menu label="More" icon={MoreIcon} testid="more">
        <MenuItem icon={GearIcon} testid="open-devices" onClick={() => open('devices')}>
          Camera, microphone, speaker
        </MenuItem>
        <MenuItem
          icon={ChartIcon}
          testid="open-stats"
          onClick={() => {
            panel.value = 'stats';
          }}
        >
          Statistics
        </MenuItem>
        <MenuItem icon={KeyboardIcon} testid="open-help" onClick={() => open('help')}>
          Keyboard shortcuts
        </MenuItem>
      </Menu>
    </header>
  );
}

function open(which: 'devices' | 'help' | 'invite'): void {
  dialog.value = which;
}

function Clock() {
  const now = useNow();
  return (
    <span class="meta number" role="timer" aria-label="Time in the call">
      {elapsed((now - since.value) / 1000)}
    </span>
  );
}
