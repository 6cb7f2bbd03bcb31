// Who wants to join: the toast over the stage, and the list in the people panel. For moderators.
import type { Knock } from 'parley-sdk';
import { people } from '../state/call';
import { admit, asking, decline, knockLine, knocks, later } from '../state/knocks';
import { panel } from '../state/view';
import { clock } from '../text/format';
import { Avatar } from '../ui/avatar';
import { IconButton } from '../ui/button';
import { CloseIcon, DoorIcon, WarnIcon } from '../ui/icons';

export function KnockToast() {
  const list = asking.value;
  const [one] = list;
  if (!one || panel.value === 'people') return null;
  const alone = list.length === 1;
  const warning = alone ? likeLine(one) : '';
  return (
    <section class="banner plain knocks" aria-label="Wants to join" data-testid="knocks" data-count={list.length}>
      <DoorIcon />
      <span>
        <strong>{knockLine(list)}</strong>
        {warning && <span class="small below warn">{warning}</span>}
      </span>
      <span class="row">
        {alone ? (
          <>
            <button type="button" class="button tight" data-testid="knocks-decline" onClick={() => decline(one.id)}>
              Decline
            </button>
            <button type="button" class="button primary tight" data-testid="knocks-admit" onClick={() => admit(one.id)}>
              Admit
            </button>
          </>
        ) : (
          <button
            type="button"
            class="button primary tight"
            data-testid="knocks-view"
            onClick={() => {
              panel.value = 'people';
            }}
          >
            View
          </button>
        )}
        <IconButton icon={CloseIcon} label="Later" size={18} class="tight" testid="knocks-later" onClick={later} />
      </span>
    </section>
  );
}

export function WaitingList() {
  const list = knocks.value;
  if (list.length === 0) return null;
  return (
    <section class="waiting-list" aria-labelledby="waiting-list" data-testid="waiting-list">
      <div class="list-head">
        <h3 id="waiting-list">Waiting ({list.length})</h3>
        {list.length > 1 && (
          <>
            <button type="button" class="button plain tight" data-testid="decline-all" onClick={() => decline()}>
              Decline all
            </button>
            <button type="button" class="button tight" data-testid="admit-all" onClick={() => admit()}>
              Admit all
            </button>
          </>
        )}
      </div>
      <ul>
        {list.map((k) => (
          <Waiting key={k.id} knock={k} />
        ))}
      </ul>
    </section>
  );
}

function Waiting({ knock: k }: { knock: Knock }) {
  const name = k.name || 'Somebody';
  const warning = likeLine(k);
  return (
    <li class="person knock" data-knock={k.id} data-testid="knock">
      <Avatar id={k.identity || k.id} name={name} />
      <span class="person-name">
        <span class="name-line">
          <span class="cut">{name}</span>
          {k.guest && <span class="mark">Guest</span>}
        </span>
        <span class="small quiet below">Since {clock(k.since)}</span>
        {warning && (
          <span class="small below warn" data-testid="knock-like">
            <WarnIcon size={16} /> {warning}
          </span>
        )}
      </span>
      <IconButton
        icon={CloseIcon}
        label={`Decline ${name}`}
        class="tight"
        testid="knock-decline"
        onClick={() => decline(k.id)}
      />
      <button
        type="button"
        class="button primary tight"
        aria-label={`Admit ${name}`}
        data-testid="knock-admit"
        onClick={() => admit(k.id)}
      >
        Admit
      </button>
    </li>
  );
}

// A name that looks like somebody's who is here already: it may be the same person, or not.
function likeLine(k: Knock): string {
  const like = k.like && people.value.find((p) => p.id === k.like);
  if (!like) return '';
  return like.me ? 'Has the same name as you' : `Has the same name as ${like.name}, who is here`;
}
