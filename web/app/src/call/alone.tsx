// Nobody else is here: how to get them in, or that they are waiting already.
import { computed } from '@preact/signals';
import { can, everAlone } from '../state/call';
import { knocks } from '../state/knocks';
import { wayToInvite } from '../state/server';
import { dialog } from '../state/view';
import { InviteIcon } from '../ui/icons';

const invites = computed(() => ['plain', 'invitation'].includes(wayToInvite(can.value)));

export function Alone() {
  if (knocks.value.length > 0) return null; // the toast is what matters
  return (
    <section class="alone" data-testid="alone">
      <p>
        <strong>{everAlone.value ? 'You are the first one here.' : 'You are the only one here now.'}</strong>
      </p>
      <p class="quiet">
        {invites.value ? 'Send the others a link, or let them scan a code.' : 'The others will come.'}
      </p>
      <button
        type="button"
        class="button primary"
        data-testid="alone-invite"
        onClick={() => {
          dialog.value = 'invite';
        }}
      >
        <InviteIcon size={20} /> Invite
      </button>
    </section>
  );
}
