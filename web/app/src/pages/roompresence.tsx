// One line that says who is in a room now. Its height is reserved, so nothing moves when the answer comes.
import { useEffect } from 'preact/hooks';
import { presence, watchRoom } from '../state/presence';
import { names } from '../text/format';
import { roomPattern } from '../text/roomname';
import { Avatar } from '../ui/avatar';

/** How long typing must rest before the room is asked about, ms. */
const rest = 300;

/** Watches a room for as long as the component shows it. */
export function useRoomPresence(room: string): void {
  useEffect(() => {
    if (!roomPattern.test(room)) return;
    let stop = () => {};
    const timer = setTimeout(() => {
      stop = watchRoom(room);
    }, rest);
    return () => {
      clearTimeout(timer);
      stop();
    };
  }, [room]);
}

export function RoomPresence({ room }: { room: string }) {
  const p = presence.value;
  if (!roomPattern.test(room)) return <p class="presence" />;
  if (p.kind === 'hidden') return <p class="presence">Who is there shows once you are in.</p>;
  if (p.kind !== 'known') {
    return (
      <p class="presence" data-testid="presence">
        <span class="dot" />
        <span>Looking who is there…</span>
      </p>
    );
  }
  const faces = p.people.slice(0, 4);
  return (
    <p class="presence" role="status" data-testid="presence">
      {faces.length === 0 ? (
        <span class="dot" />
      ) : (
        <span class="faces">
          {faces.map((f) => (
            <Avatar
              key={f.id}
              id={f.identity || f.id}
              name={f.name}
              class={f.away ? 'small-avatar away' : 'small-avatar'}
            />
          ))}
        </span>
      )}
      <span>{presenceLine(p.people, p.stale)}</span>
    </p>
  );
}

/** "Ann and Bob are in it now. Carl is not reachable." */
export function presenceLine(people: readonly { name: string; away?: boolean }[], stale: boolean): string {
  const here = people.filter((p) => !p.away).map((p) => p.name);
  const lost = people.filter((p) => p.away).map((p) => p.name);
  const missing = lost.length > 0 ? `${names(lost)} ${lost.length === 1 ? 'is' : 'are'} not reachable.` : '';
  if (stale) {
    const all = [...here, ...lost];
    if (all.length === 0) return 'Nobody was in it a moment ago.';
    return `${names(all)} ${all.length === 1 ? 'was' : 'were'} in it a moment ago.`;
  }
  if (here.length === 0) return missing || 'Nobody is in it now.';
  return `${names(here)} ${here.length === 1 ? 'is' : 'are'} in it now. ${missing}`.trimEnd();
}
