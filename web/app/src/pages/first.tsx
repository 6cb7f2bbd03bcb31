// The first page says what holds on this server: who opens rooms, and how one gets in.

import type { Access } from 'parley-sdk';
import { useEffect, useState } from 'preact/hooks';
import { go, readToken, token, tokenFor } from '../state/route';
import { access, host, loadAccess, reloadAccess, server, signOut } from '../state/server';
import { saveSettings, settings } from '../state/settings';
import { problem } from '../text/problems';
import { cleanRoom, roomFault, secretRoom, suggestRoom } from '../text/roomname';
import { IconButton } from '../ui/button';
import { DiceIcon } from '../ui/icons';
import { lazy } from '../ui/lazy';
import { NameField } from '../ui/namefield';
import { ProblemNote } from '../ui/note';
import { Frame } from './frame';
import { RoomPresence, useRoomPresence } from './roompresence';

const SignIn = lazy(() => import('./signin').then((m) => m.SignIn));

export function FirstPage() {
  useEffect(() => {
    document.title = 'Parley';
    void loadAccess();
  }, []);
  const here = access.value;
  const known = server.value;
  return (
    <Frame home={false} aside={host.value && <SignedIn name={host.value.name} />}>
      <main>
        <div
          class="card"
          data-testid="first"
          data-open={here?.open ?? (known.kind === 'asking' ? 'asking' : 'unknown')}
        >
          <h1>Talk, in your browser</h1>
          {known.kind === 'asking' && <p class="quiet">Asking the server…</p>}
          {known.kind === 'failed' && (
            <div class="first-form">
              <ProblemNote problem={problem(known.code, known.message)}>
                <button type="button" class="button tight" onClick={() => void reloadAccess()}>
                  Try again
                </button>
              </ProblemNote>
            </div>
          )}
          {here && <Ways here={here} />}
        </div>
      </main>
      <footer class="small quiet">Free software. Calls run on this server; files go from browser to browser.</footer>
    </Frame>
  );
}

function Ways({ here }: { here: Access }) {
  const linked = readToken(token.value).room !== undefined;
  if (here.open === 'anyone') {
    const who = here.lan ? 'Whoever is in this network and opens the link is in.' : 'Whoever opens the link is in.';
    return <OpenRoom words={`Pick a room and share its link. ${who}`} suggest={secretRoom} button="Continue" />;
  }
  if (here.host) {
    const words = 'Open a room, then invite others from inside. They need no account.';
    return <OpenRoom words={words} suggest={suggestRoom} button="Open the room" />;
  }
  if (linked) return <OpenRoom words="Your link lets you into this room." suggest={suggestRoom} button="Continue" />;
  return here.open === 'hosts' ? <Hosts here={here} /> : <ByLink />;
}

function SignedIn({ name }: { name: string }) {
  return (
    <span class="signed-in">
      <span class="small quiet" data-testid="host">
        <span class="wide-only">Signed in{name && ' as '}</span>
        {name}
      </span>
      <button type="button" class="button plain tight" data-testid="sign-out" onClick={() => void signOut()}>
        Sign out
      </button>
    </span>
  );
}

// Nobody is signed in: hosts sign in, who was invited has a link, everybody else asks.
function Hosts({ here }: { here: Access }) {
  return (
    <>
      <p class="quiet">
        Hosts open the rooms here. If you were invited, open the link that you were sent: that is all.
      </p>
      <section class="part" aria-labelledby="hosts">
        <h2 id="hosts">For hosts</h2>
        <SignIn back="/" />
      </section>
      {here.knock && (
        <section class="part" aria-labelledby="guests">
          <h2 id="guests">Without a link</h2>
          <GoToRoom />
        </section>
      )}
    </>
  );
}

function ByLink() {
  return (
    <div data-testid="by-link">
      <p class="quiet">Rooms here are entered by links from your organisation’s application.</p>
      <p class="quiet">Open the link that you were given, or find your room in that application.</p>
    </div>
  );
}

function GoToRoom() {
  const [room, setRoom] = useState('');
  const [fault, setFault] = useState('');
  const submit = (event: Event) => {
    event.preventDefault();
    const clean = cleanRoom(room);
    const wrong = roomFault(clean);
    if (!wrong) return go(`/r/${clean}`);
    setFault(wrong);
    document.getElementById('room')?.focus();
  };
  return (
    <form class="first-form" onSubmit={submit} data-testid="go-room">
      <div class="field">
        <label for="room">Name of the room</label>
        <div class="with-button">
          <RoomInput
            room={room}
            fault={fault}
            onRoom={(typed) => {
              setRoom(typed);
              setFault('');
            }}
          />
          <button type="submit" class="button" data-testid="continue">
            Ask to join
          </button>
        </div>
        <RoomFault fault={fault} />
      </div>
    </form>
  );
}

function OpenRoom({ words, suggest, button }: { words: string; suggest: () => string; button: string }) {
  const claims = readToken(token.value);
  const [name, setName] = useState(settings.value.name || claims.name || host.value?.name || '');
  const [room, setRoom] = useState(() => (claims.room && claims.room !== '*' ? claims.room : suggest()));
  const [fault, setFault] = useState('');
  const clean = cleanRoom(room);
  // Where one comes in by a token, who is there shows at the room's door.
  const sees = access.value?.open === 'anyone' || tokenFor(clean) !== undefined;
  useRoomPresence(sees ? clean : '');
  const submit = (event: Event) => {
    event.preventDefault();
    const wrong = roomFault(clean);
    if (wrong) {
      setFault(wrong);
      document.getElementById('room')?.focus();
      return;
    }
    saveSettings({ name: name.trim() });
    go(`/r/${clean}`);
  };
  return (
    <>
      <p class="quiet">{words}</p>
      <form class="first-form" onSubmit={submit}>
        <NameField name={name} onName={setName} />
        <div class="field">
          <label for="room">Room</label>
          <div class="with-button">
            <RoomInput
              room={room}
              fault={fault}
              onBlur={() => setRoom(clean)}
              onRoom={(typed) => {
                setRoom(typed);
                setFault('');
              }}
            />
            <IconButton icon={DiceIcon} label="Suggest another name" onClick={() => setRoom(suggest())} />
          </div>
          {sees && <RoomPresence room={clean} />}
          <RoomFault fault={fault} />
        </div>
        <button type="submit" class="button primary wide" data-testid="continue">
          {button}
        </button>
      </form>
      <Recent onPick={setRoom} />
    </>
  );
}

interface RoomInputProps {
  room: string;
  fault: string;
  onRoom: (typed: string) => void;
  onBlur?: () => void;
}

function RoomInput({ room, fault, onRoom, onBlur }: RoomInputProps) {
  return (
    <input
      id="room"
      class="input"
      autocomplete="off"
      autocapitalize="none"
      spellcheck={false}
      value={room}
      aria-invalid={fault !== ''}
      aria-describedby="room-fault"
      data-testid="room"
      onInput={(e) => onRoom(e.currentTarget.value)}
      onBlur={onBlur}
    />
  );
}

function RoomFault({ fault }: { fault: string }) {
  return (
    <p id="room-fault" class="fault" role="alert" hidden={!fault}>
      {fault}
    </p>
  );
}

function Recent({ onPick }: { onPick: (room: string) => void }) {
  const rooms = settings.value.recent;
  if (rooms.length === 0) return null;
  return (
    <section class="part recent" aria-labelledby="recent">
      <h2 id="recent">Recent rooms</h2>
      <ul class="chips">
        {rooms.map((room) => (
          <li key={room}>
            <button type="button" class="chip" onClick={() => onPick(room)}>
              {room}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
