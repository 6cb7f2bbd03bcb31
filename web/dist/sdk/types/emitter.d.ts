type Listener<T> = (value: T) => void;
/** Typed events. `Events` maps an event's name to what its listeners get. */
export declare class Emitter<Events extends object> {
    #private;
    /** Calls `listener` at each `type`; returns what ends that. */
    on<T extends keyof Events>(type: T, listener: Listener<Events[T]>): () => void;
    /** Like `on`, for the next event only. */
    once<T extends keyof Events>(type: T, listener: Listener<Events[T]>): () => void;
    off<T extends keyof Events>(type: T, listener: Listener<Events[T]>): void;
}
export {};
