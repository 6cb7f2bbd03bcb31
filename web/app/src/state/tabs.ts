// One call in two tabs of this browser: the tabs tell each other, so that one can take the call over.

type Word = { to: string; from: string; word: 'who' | 'here' | 'move' | 'gone' };

/** The part of BroadcastChannel that is used. */
export interface Channel {
  postMessage(word: Word): void;
  onmessage: ((event: { data: unknown }) => void) | null;
  close(): void;
}

const answerWithin = 150; // ms; the tabs are on one machine
const goneWithin = 1500; // ms that the other tab may take to leave

export class Tabs {
  readonly #me = Math.random().toString(36).slice(2);
  #channel: Channel | undefined;
  #leave: (() => void) | undefined;
  #hear: ((word: Word) => void) | undefined;

  constructor(private readonly open: () => Channel | undefined) {}

  /** This tab is in the call from now on; `leave` is asked to give it to another tab. Returns what ends it. */
  hold(room: string, leave: () => void): () => void {
    this.#listen();
    this.#leave = leave;
    this.#room = room;
    return () => {
      this.#leave = undefined;
    };
  }

  /** Whether another tab is in that room. */
  async other(room: string): Promise<boolean> {
    return this.#ask(room, 'who', 'here', answerWithin);
  }

  /** Has the other tabs leave that room; resolves when one has, or does not answer. */
  async take(room: string): Promise<void> {
    await this.#ask(room, 'move', 'gone', goneWithin);
  }

  #room = '';

  #listen(): void {
    if (this.#channel) return;
    this.#channel = this.open();
    if (this.#channel) this.#channel.onmessage = ({ data }) => this.#heard(data as Word);
  }

  #say(room: string, word: Word['word']): void {
    this.#channel?.postMessage({ to: room, from: this.#me, word });
  }

  #heard(data: Word): void {
    if (!data || data.from === this.#me) return;
    this.#hear?.(data);
    if (!this.#leave || data.to !== this.#room) return;
    if (data.word === 'who') this.#say(data.to, 'here');
    if (data.word !== 'move') return;
    this.#leave();
    this.#say(data.to, 'gone');
  }

  #ask(room: string, word: 'who' | 'move', answer: 'here' | 'gone', within: number): Promise<boolean> {
    this.#listen();
    if (!this.#channel) return Promise.resolve(false);
    return new Promise((resolve) => {
      const end = (found: boolean) => {
        clearTimeout(timer);
        this.#hear = undefined;
        resolve(found);
      };
      const timer = setTimeout(() => end(false), within);
      this.#hear = (data) => {
        if (data.to === room && data.word === answer) end(true);
      };
      this.#say(room, word);
    });
  }
}

let used = new Tabs(() =>
  typeof BroadcastChannel === 'function' && typeof document !== 'undefined'
    ? (new BroadcastChannel('parley.call') as unknown as Channel)
    : undefined,
);

export function tabs(): Tabs {
  return used;
}

/** For the pages with invented people, and for tests. */
export function useTabs(other: Tabs): void {
  used = other;
}
