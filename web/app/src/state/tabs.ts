// One call in two tabs of this browser: the tabs tell each other, so that one can take the call over.

type Word = { to: string; from: string; word: 'who' | 'here' | 'move' | 'gone'; token?: string };

/** The part of BroadcastChannel that is used. */
export interface Channel {
  postMessage(word: Word): void;
  onmessage: ((event: { data: unknown }) => void) | null;
  close(): void;
}

/** The tab that is in the call. */
export interface Holder {
  /** What it is in by: the same person needs to ask nobody to come in by it again. */
  token(): string | undefined;
  /** Gives the call to another tab. */
  leave(): void;
}

const answerWithin = 150; // ms; the tabs are on one machine
const goneWithin = 1500; // ms that the other tab may take to leave

export class Tabs {
  readonly #me = Math.random().toString(36).slice(2);
  #channel: Channel | undefined;
  #holder: Holder | undefined;
  #room = '';
  #hear: ((word: Word) => void) | undefined;

  constructor(private readonly open: () => Channel | undefined) {}

  /** This tab is in the call from now on. Returns what ends that. */
  hold(room: string, holder: Holder): () => void {
    this.#listen();
    this.#holder = holder;
    this.#room = room;
    return () => {
      if (this.#holder === holder) this.#holder = undefined;
    };
  }

  /** Another tab that is in that room, with the token that it is in by. */
  async other(room: string): Promise<{ token?: string } | undefined> {
    const word = await this.#ask(room, 'who', 'here', answerWithin);
    return word && { token: word.token };
  }

  /** Has the other tabs leave that room; resolves when one has, or does not answer. */
  async take(room: string): Promise<void> {
    await this.#ask(room, 'move', 'gone', goneWithin);
  }

  #listen(): void {
    if (this.#channel) return;
    this.#channel = this.open();
    if (this.#channel) this.#channel.onmessage = ({ data }) => this.#heard(data as Word);
  }

  #say(room: string, word: Word['word']): void {
    const token = word === 'here' ? this.#holder?.token() : undefined;
    this.#channel?.postMessage({ to: room, from: this.#me, word, token });
  }

  #heard(data: Word): void {
    if (!data || data.from === this.#me) return;
    this.#hear?.(data);
    if (!this.#holder || data.to !== this.#room) return;
    if (data.word === 'who') this.#say(data.to, 'here');
    if (data.word !== 'move') return;
    this.#holder.leave();
    this.#say(data.to, 'gone');
  }

  #ask(room: string, word: 'who' | 'move', answer: 'here' | 'gone', within: number): Promise<Word | undefined> {
    this.#listen();
    if (!this.#channel) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const end = (found?: Word) => {
        clearTimeout(timer);
        this.#hear = undefined;
        resolve(found);
      };
      const timer = setTimeout(end, within);
      this.#hear = (data) => {
        if (data.to === room && data.word === answer) end(data);
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
