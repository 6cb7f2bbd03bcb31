import { Participant } from './participant';
import type { WireParticipant } from './protocol';
import type { Slot } from './slots';
import { slotStep } from './steps';
import { roomURL } from './url';

const PATIENCE = 300; // ms: the join waits for this, so it may not take long
const UNKNOWN = 4; // slots where the server would not tell
const BY_ROOM = 9; // slots that a room gets by its size alone; more only as the page shows more
const UNSHOWN = 3; // slots beside those shown, so that others are heard

/** How many streams others publish: what slots are needed for. */
export function streamsOf(participants: Iterable<Participant>, me: string): number {
  let streams = 0;
  for (const p of participants) {
    if (p.id === me) continue;
    if (p.has('camera')) streams++;
    if (p.has('screen')) streams++;
  }
  return streams;
}

/**
 * Whether packets must be coming: the sound of somebody who is not muted, or the server's feedback on a picture that we send.
 * Pictures of others do not count: they may be held back, and a shared screen may stand still.
 */
export function expectsMedia(
  sends: boolean,
  participants: ReadonlyMap<string, Participant>,
  slots: readonly Pick<Slot, 'participant' | 'stream' | 'hasAudio'>[],
): boolean {
  if (sends) return true;
  return slots.some(
    (s) => s.hasAudio && s.stream === 'camera' && participants.get(s.participant ?? '')?.live('microphone'),
  );
}

/** How many streams there must be slots for: a large room costs what the page shows of it, and a few who are only heard. */
export function slotsFor(streams: number, shown: number): number {
  return Math.min(streams, Math.max(BY_ROOM, shown + UNSHOWN));
}

/** Asks the presence feed how many slots a newcomer should offer: each makes the join longer, so no more than are needed now. */
export async function slotHint(url: string | undefined, room: string, token: string | undefined): Promise<number> {
  try {
    const headers: Record<string, string> = token ? { Authorization: `Bearer ${token}` } : {};
    const signal = AbortSignal.timeout(PATIENCE);
    const response = await fetch(roomURL(url, room), { headers, signal, cache: 'no-store' });
    if (!response.ok) return UNKNOWN;
    const { participants } = (await response.json()) as { participants?: WireParticipant[] };
    const all = (participants ?? []).map((p) => new Participant(p));
    return slotStep(slotsFor(streamsOf(all, ''), 0));
  } catch {
    return UNKNOWN; // no permission to watch, or too slow: more slots can be had later
  }
}
