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
            <Avatar key={f.id} id={f.id} name={f.name} class="small-avatar" />
          ))}
        </span>
      )}
      <span>
        {presenceLine(
          p.people.map((f) => f.name),
          p.stale,
        )}
      </span>
    </p>
  );
}

/** "Ann and Bob are in it now". */
export function presenceLine(who: readonly string[], stale: boolean): string {
  if (who.length === 0) return stale ? 'Nobody was in it a moment ago.' : 'Nobody is in it now.';
  const one = who.length === 1;
  return stale
    ? `${names(who)} ${one ? 'was' : 'were'} in it a moment ago.`
    : `${names(who)} ${one ? 'is' : 'are'} in it now.`;
}
