type Listener<T> = (value: T) => void;

/** Typed events. `Events` maps an event's name to what its listeners get. */
export class Emitter<Events extends object> {
  readonly #listeners = new Map<keyof Events, Set<Listener<never>>>();

  /** Calls `listener` at each `type`; returns what ends that. */
  on<T extends keyof Events>(type: T, listener: Listener<Events[T]>): () => void {
    let set = this.#listeners.get(type);
    if (!set) {
      set = new Set();
      this.#listeners.set(type, set);
    }
    set.add(listener as Listener<never>);
    return () => this.off(type, listener);
  }

  /** Like `on`, for the next event only. */
  once<T extends keyof Events>(type: T, listener: Listener<Events[T]>): () => void {
    const off = this.on(type, (value) => {
      off();
      listener(value);
    });
    return off;
  }

  off<T extends keyof Events>(type: T, listener: Listener<Events[T]>): void {
    this.#listeners.get(type)?.delete(listener as Listener<never>);
  }

  /**
   * Calls the listeners in the order they were added. One that throws does not keep the others from being called: its
   * error is reported as uncaught.
   * @internal
   */
  emit<T extends keyof Events>(type: T, ...value: Events[T] extends undefined ? [] : [Events[T]]): void {
    for (const listener of [...(this.#listeners.get(type) ?? [])]) {
      try {
        (listener as Listener<Events[T]>)(value[0] as Events[T]);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
