import { ParleyError } from './errors';
import type { Slot } from './slots';

/** Plays what the slots sound, through one hidden audio element each. */
export class AudioOut {
  /** Whether the browser keeps the sound off until start() is called in a click. */
  blocked = false;
  readonly #elements = new Map<Slot, HTMLAudioElement>();
  #speaker = '';

  constructor(private readonly onBlocked: (blocked: boolean) => void) {}

  /** Plays the slots that carry audio and stops the others. */
  update(slots: readonly Slot[]): void {
    for (const [slot, element] of this.#elements) {
      if (slots.includes(slot) && slot.hasAudio) continue;
      element.srcObject = null;
      element.remove();
      this.#elements.delete(slot);
    }
    for (const slot of slots) if (slot.hasAudio && !this.#elements.has(slot)) this.#add(slot);
  }

  /** Plays again what the browser held back; call it in a click. */
  async start(): Promise<void> {
    await Promise.all([...this.#elements.values()].map((element) => this.#play(element)));
    if (this.blocked) throw new ParleyError('autoplay_blocked', undefined, true);
  }

  /** Chooses the loudspeaker; '' is the system's own. */
  async speaker(deviceId: string): Promise<void> {
    this.#speaker = deviceId;
    await Promise.all([...this.#elements.values()].map((element) => this.#route(element)));
  }

  #add(slot: Slot): void {
    const element = document.createElement('audio');
    element.autoplay = true;
    element.hidden = true;
    element.srcObject = slot.audio;
    document.body.append(element);
    this.#elements.set(slot, element);
    if (this.#speaker) void this.#route(element).catch(() => {}); // a loudspeaker gone since: the system's own plays
    void this.#play(element);
  }

  async #route(element: HTMLAudioElement): Promise<void> {
    if (typeof element.setSinkId !== 'function')
      throw new ParleyError(
        'unsupported_browser',
        'This browser cannot choose a loudspeaker. Choose it in the system settings.',
      );
    try {
      await element.setSinkId(this.#speaker);
    } catch (error) {
      throw new ParleyError('no_device', undefined, false, undefined, { cause: error });
    }
  }

  async #play(element: HTMLAudioElement): Promise<void> {
    try {
      await element.play();
      this.#setBlocked(false);
    } catch (error) {
      // AbortError: the element was emptied meanwhile.
      if (error instanceof DOMException && error.name === 'NotAllowedError') this.#setBlocked(true);
    }
  }

  #setBlocked(blocked: boolean): void {
    if (this.blocked === blocked) return;
    this.blocked = blocked;
    this.onBlocked(blocked);
  }
}
