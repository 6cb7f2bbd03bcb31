// The first page: a name, a room, who is in it now.
import { useEffect, useState } from 'preact/hooks';
import { go, readToken, token } from '../state/route';
import { saveSettings, settings } from '../state/settings';
import { cleanRoom, roomFault, suggestRoom } from '../text/roomname';
import { IconButton } from '../ui/button';
import { DiceIcon } from '../ui/icons';
import { Logo } from '../ui/logo';
import { NameField } from '../ui/namefield';
import { RoomPresence, useRoomPresence } from './roompresence';

export function FirstPage() {
  const claims = readToken(token.value);
  const [name, setName] = useState(settings.value.name || claims.name || '');
  const [room, setRoom] = useState(() => (claims.room && claims.room !== '*' ? claims.room : suggestRoom()));
  const [fault, setFault] = useState('');
  const clean = cleanRoom(room);
  useRoomPresence(clean);
  useEffect(() => {
    document.title = 'Parley';
  }, []);

  const submit = (event: Event) => {
    event.preventDefault();
    const wrong = roomFault(clean);
    if (wrong) return setFault(wrong);
    saveSettings({ name: name.trim() });
    go(`/r/${clean}`);
  };

  return (
    <div class="page">
      <header>
        <span class="wordmark">
          <Logo /> Parley
        </span>
      </header>
      <main>
        <div class="card" data-testid="first">
          <h1>Talk, in your browser</h1>
          <p class="quiet">Pick a room and share its link. Whoever opens the link is in.</p>
          <form class="first-form" onSubmit={submit}>
            <NameField name={name} onName={setName} />
            <div class="field">
              <label for="room">Room</label>
              <div class="with-button">
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
                  onInput={(e) => {
                    setRoom(e.currentTarget.value);
                    setFault('');
                  }}
                  onBlur={() => setRoom(clean)}
                />
                <IconButton icon={DiceIcon} label="Suggest another name" onClick={() => setRoom(suggestRoom())} />
              </div>
              <RoomPresence room={clean} />
              <p id="room-fault" class="fault" role="alert" hidden={!fault}>
                {fault}
              </p>
            </div>
            <button type="submit" class="button primary wide" data-testid="continue">
              Continue
            </button>
          </form>
          <Recent onPick={setRoom} />
        </div>
      </main>
      <footer class="small quiet">Free software. Calls run on this server; files go from browser to browser.</footer>
    </div>
  );
}

function Recent({ onPick }: { onPick: (room: string) => void }) {
  const rooms = settings.value.recent;
  if (rooms.length === 0) return null;
  return (
    <section class="recent" aria-labelledby="recent">
      <h2 id="recent">Recent rooms</h2>
      <ul>
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
