// What a screen reader says by itself: who came and went, new messages, the state of the connection.
import { signal } from '@preact/signals';

const polite = signal('');
const urgent = signal('');

/** Says a line when the reader has a moment; `now` interrupts, for what must not be missed. */
export function announce(line: string, now = false): void {
  const region = now ? urgent : polite;
  // The same line twice is a change only if something in it changes.
  region.value = region.value === line ? `${line}\u00a0` : line;
}

export function LiveRegions() {
  return (
    <div class="unseen">
      <div role="status" aria-live="polite" data-testid="live">
        {polite}
      </div>
      <div role="alert" aria-live="assertive">
        {urgent}
      </div>
    </div>
  );
}
