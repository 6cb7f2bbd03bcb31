// Nobody else is here: how to get them in.
import { roomLink, route } from '../state/route';
import { CopyIcon } from '../ui/icons';
import { copyInvite } from './invite';

export function Alone() {
  const at = route.value;
  if (at.page !== 'room') return null;
  return (
    <section class="alone" data-testid="alone">
      <p>
        <strong>You are the first one here.</strong> Send this link to the others:
      </p>
      <p class="quiet small link">{roomLink(at.room)}</p>
      <button type="button" class="button primary" onClick={() => void copyInvite()}>
        <CopyIcon size={18} /> Copy link
      </button>
    </section>
  );
}
