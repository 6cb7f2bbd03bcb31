/** What a client is told that knocks: who has to come, or decide. */
export interface Waiting {
  /** `moderator`: somebody inside decides. `host`: nobody is there who could. */
  readonly for: 'moderator' | 'host';
  /** False: the connection is lost. It is made again by itself, and our place is kept meanwhile. */
  readonly connected: boolean;
}

/** The knock of a session that is not in yet. It outlives its connection: it is taken up by its id and secret. */
export class Knocking {
  /** For whom we wait. */
  whom: Waiting['for'] = 'moderator';
  #held: { knock: string; secret: string } | undefined;

  /** `first`: knock without a join before, since we know that we must. */
  constructor(private first: boolean) {}

  /** Whether the next connection knocks, in place of a join. */
  get due(): boolean {
    return this.first || this.#held !== undefined;
  }

  /** Whether the server has us on its list. */
  get waits(): boolean {
    return this.#held !== undefined;
  }

  /** What a knock says: what it takes up, or who knocks. */
  async fields(who: () => Promise<Record<string, unknown>>): Promise<Record<string, unknown>> {
    return this.#held ?? (await who());
  }

  /** The server has us on its list. */
  taken(message: { knock?: unknown; secret?: unknown; for?: unknown }): void {
    this.#held = { knock: String(message.knock), secret: String(message.secret) };
    this.whom = message.for === 'host' ? 'host' : 'moderator';
  }

  /** The server knows nothing of us: knock anew. */
  lost(): void {
    this.first = true;
    this.#held = undefined;
  }

  /** We are let in. */
  over(): void {
    this.first = false;
    this.#held = undefined;
  }
}
