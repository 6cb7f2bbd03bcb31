// The invite link, to the clipboard or by the phone's own share sheet.
import { notify } from '../state/notices';
import { roomLink, route } from '../state/route';

export async function copyInvite(): Promise<void> {
  const at = route.value;
  if (at.page !== 'room') return;
  const link = roomLink(at.room);
  try {
    await navigator.clipboard.writeText(link);
    notify({ title: 'Link copied', advice: 'Send it to whoever should join.' });
  } catch {
    // No clipboard on an insecure page or without permission: the link is shown to be copied by hand.
    notify({ title: 'Copy this link', advice: link });
  }
}
