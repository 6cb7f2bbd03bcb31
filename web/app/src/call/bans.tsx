// Whom the room keeps out, and the way back in. For moderators.
import { useEffect } from 'preact/hooks';
import { bans, letBackIn, readBans } from '../state/bans';
import { people, room } from '../state/call';
import { clock } from '../text/format';
import { DownIcon } from '../ui/icons';

export function KeptOut() {
  const joined = room.value;
  const here = people.value.length;
  // Removing somebody makes the list longer, and the room emptier.
  useEffect(() => {
    if (joined) void readBans(joined);
  }, [joined, here]);
  const list = bans.value;
  if (!joined || list.length === 0) return null;
  return (
    <details class="more kept-out">
      <summary data-testid="kept-out">
        Kept out <span class="quiet number">{list.length}</span> <DownIcon size={18} />
      </summary>
      <ul class="links">
        {list.map((b) => (
          <li key={b.identity} data-testid="kept" data-identity={b.identity}>
            <span class="link-what">
              {b.name || b.identity}
              <span class="small quiet below">Removed at {clock(b.at)}</span>
            </span>
            <button
              type="button"
              class="button tight"
              data-testid="let-back-in"
              onClick={() => void letBackIn(joined, b.identity)}
            >
              Let back in<span class="unseen">: {b.name || b.identity}</span>
            </button>
          </li>
        ))}
      </ul>
    </details>
  );
}
