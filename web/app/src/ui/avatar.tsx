// A person's initials on a colour of their own.
import { hue, initials } from '../text/format';

export function Avatar({ id, name, class: extra = '' }: { id: string; name: string; class?: string }) {
  return (
    <span class={`avatar ${extra}`} style={{ '--hue': hue(id) }} aria-hidden="true">
      {initials(name)}
    </span>
  );
}
