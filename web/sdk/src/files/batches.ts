import type { Batch } from './wire';

/** One question to us: the files that somebody offers together. */
interface Question {
  /** Of what was announced, what was not offered yet. */
  count: number;
  size: number;
  answer: 'yes' | 'no' | undefined;
}

const KEPT = 100; // questions remembered; the oldest go, and what still comes of them is asked about again

/** What we said to files that are offered together: one yes covers what was announced then, and not a byte more. */
export class Batches {
  readonly #questions = new Map<string, Question>();

  /** Takes an offer as part of its batch; undefined if it is more than was announced. */
  offered(peer: string, batch: Batch, size: number): 'yes' | 'no' | 'open' | undefined {
    const key = `${peer} ${batch.id}`;
    let q = this.#questions.get(key);
    if (!q) {
      q = { count: batch.count, size: batch.size, answer: undefined };
      this.#questions.set(key, q);
      if (this.#questions.size > KEPT) this.#questions.delete(this.#questions.keys().next().value as string);
    }
    if (q.count < 1 || q.size < size) return undefined;
    q.count--;
    q.size -= size;
    return q.answer ?? 'open';
  }

  answer(peer: string, batch: Batch, answer: 'yes' | 'no'): void {
    const q = this.#questions.get(`${peer} ${batch.id}`);
    if (q) q.answer = answer;
  }
}
