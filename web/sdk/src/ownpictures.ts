import type { LocalSource } from './local';
import type { Stream } from './protocol';

/** Our own pictures, one stream object for as long as the track is the same. */
export class OwnPictures {
  readonly #streams = new Map<Stream, MediaStream>();

  constructor(private readonly local: (stream: Stream) => LocalSource) {}

  /** What shows the stream; null while it is off. */
  get(stream: Stream): MediaStream | null {
    const { track, on } = this.local(stream);
    if (!track || !on) return null;
    const picture = this.#streams.get(stream) ?? new MediaStream([track]);
    this.#streams.set(stream, picture);
    return picture;
  }

  /** The track may be another. */
  forget(stream: Stream): void {
    this.#streams.delete(stream);
  }
}
