// The check before joining: picture, microphone level, devices, name, and what will happen at the door.
import { useEffect, useRef, useState } from 'preact/hooks';
import { comesBack } from '../state/again';
import { join, phase } from '../state/call';
import {
  camera,
  followDevices,
  forgetCheck,
  handOver,
  mayCapture,
  microphone,
  startCheck,
  stopCheck,
} from '../state/check';
import { arrive, depart, entry, prepare, withoutInvitation } from '../state/entry';
import { presence } from '../state/presence';
import { go, tokenFor } from '../state/route';
import { access } from '../state/server';
import { settings } from '../state/settings';
import { tabs } from '../state/tabs';
import { type Door, door, refusal } from '../text/entry';
import { shortly } from '../text/format';
import { DeviceChoice } from '../ui/devicechoice';
import { Dialog } from '../ui/dialog';
import { DownIcon, WarnIcon } from '../ui/icons';
import { NameField } from '../ui/namefield';
import { useNow } from '../ui/now';
import { DeviceProblems, Listening } from './device';
import { Frame } from './frame';
import { Preview } from './preview';
import { RoomPresence, useRoomPresence } from './roompresence';

export function CheckPage({ room }: { room: string }) {
  const at = entry.value;
  const claimed = at.kind === 'open' ? at.name : '';
  const [typed, setName] = useState<string>();
  const name = typed ?? (settings.value.name || claimed);
  const [fault, setFault] = useState('');
  const [elsewhere, setElsewhere] = useState<{ token?: string }>();
  const busy = phase.value === 'joining';
  const here = useRef(true);
  const [again] = useState(() => comesBack(room));
  const open = at.kind === 'open' ? doorOf() : undefined;
  useRoomPresence(at.kind === 'open' && at.watch ? room : '');
  useEffect(() => {
    document.title = `${room} · Parley`;
    here.current = true;
    if (phase.value !== 'joining') arrive(room);
    startCheck();
    const stop = followDevices();
    return () => {
      here.current = false;
      stop();
      depart();
      // While joining and waiting the tracks belong to the call that comes.
      if (phase.value === 'out' || phase.value === 'over') stopCheck();
      else if (phase.value === 'in') forgetCheck();
    };
  }, [room]);

  const enter = (take: boolean) => {
    setElsewhere(undefined);
    void join({
      room,
      name: name.trim(),
      token: elsewhere?.token ?? tokenFor(room),
      knock: (at.kind === 'open' && at.knock) || (presence.value.kind === 'known' && presence.value.locked),
      take,
      tracks: handOver,
    });
  };
  useEffect(() => {
    if (again && open && phase.value === 'out' && (name.trim() || claimed)) enter(false);
  }, [open !== undefined]);
  const submit = async (event: Event) => {
    event.preventDefault();
    if (!open || busy) return;
    if (!name.trim() && !claimed) {
      setFault('Type your name, so that the others know who you are.');
      document.getElementById('name')?.focus();
      return;
    }
    const other = await tabs().other(room);
    if (!here.current) return; // the page is another one by now
    if (other) setElsewhere(other);
    else enter(false);
  };

  return (
    <Frame class="checking">
      <main>
        <div class="check" data-testid="check">
          <Preview name={name.trim() || claimed || 'You'} />
          <form class="check-form" onSubmit={submit}>
            <div>
              <h1>{room}</h1>
              {at.kind !== 'open' || at.watch ? <RoomPresence room={at.kind === 'refused' ? '' : room} /> : null}
            </div>
            {at.kind !== 'refused' && (
              <>
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
                <button type="submit" class="button primary wide" disabled={busy || !open} data-testid="join">
                  {busy ? (
                    <>
                      <span class="spinner" /> Joining…
                    </>
                  ) : (
                    label(open)
                  )}
                </button>
                <Words open={open} />
                <DeviceProblems />
                {mayCapture() && <Choice />}
              </>
            )}
            {at.kind === 'refused' && <Refused room={room} code={at.code} until={at.until} />}
          </form>
        </div>
      </main>
      {elsewhere && <Elsewhere onEnter={enter} onClose={() => setElsewhere(undefined)} />}
    </Frame>
  );
}

// What will happen, as far as it can be told from here.
function doorOf(): Door {
  const at = entry.value;
  const p = presence.value;
  const seen = p.kind === 'known';
  const { knock, guest, host } = at.kind === 'open' ? at : { knock: false, guest: false, host: false };
  const occupied = seen ? p.people.length > 0 : undefined;
  return door({ knock, guest, host, locked: seen && p.locked, occupied }, access.value?.open);
}

function label(open: Door | undefined): string {
  if (!open) return 'One moment…';
  if (open.waits) return open.label;
  const mic = microphone.value.wanted;
  const cam = camera.value.wanted;
  if (mic && cam) return 'Join';
  if (mic) return 'Join without camera';
  if (cam) return 'Join muted';
  return 'Join muted, without camera';
}

function Words({ open }: { open: Door | undefined }) {
  const kind = !open ? 'asking' : !open.waits ? 'join' : open.label === 'Ask to join' ? 'knock' : 'wait';
  return (
    <p class="quiet small door" role="status" data-testid="entry" data-entry={kind}>
      {open?.words}
    </p>
  );
}

function Refused({ room, code, until }: { room: string; code: string; until: number }) {
  const words = refusal(code, access.value);
  const wait = Math.max(0, until - useNow());
  return (
    <div class="note shut" role="status" data-testid="entry" data-entry="refused" data-code={code}>
      <WarnIcon size={20} />
      <div>
        <h2>{words.title}</h2>
        <p>{words.advice}</p>
        <div class="row">
          {words.knock && (
            <button
              type="button"
              class="button primary"
              data-testid="entry-knock"
              onClick={() => void withoutInvitation(room)}
            >
              Ask to be let in
            </button>
          )}
          {words.signIn && (
            <button
              type="button"
              class="button"
              data-testid="entry-sign-in"
              onClick={() => go(`/sign-in?return=${encodeURIComponent(`/r/${room}`)}`)}
            >
              Sign in as a host
            </button>
          )}
          {words.again && (
            <button
              type="button"
              class="button primary number"
              disabled={wait > 0}
              data-testid="entry-again"
              onClick={() => void prepare(room)}
            >
              {wait > 0 ? `Try again in ${shortly(wait)}` : 'Try again'}
            </button>
          )}
          <button type="button" class="button" data-testid="entry-other" onClick={() => go('/')}>
            Another room
          </button>
        </div>
      </div>
    </div>
  );
}

function Elsewhere({ onEnter, onClose }: { onEnter: (take: boolean) => void; onClose: () => void }) {
  return (
    <Dialog title="You are in this call in another tab" testid="tab-dialog" onClose={onClose}>
      <p>Move the call here, and the other tab leaves it. Or join twice: the others then see you two times.</p>
      <div class="dialog-foot">
        <button type="button" class="button plain" data-testid="tab-cancel" onClick={onClose}>
          Cancel
        </button>
        <button type="button" class="button" data-testid="tab-twice" onClick={() => onEnter(false)}>
          Join twice
        </button>
        <button type="button" class="button primary" data-testid="tab-move" onClick={() => onEnter(true)}>
          Move it here
        </button>
      </div>
    </Dialog>
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
