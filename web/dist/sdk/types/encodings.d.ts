import { type Size } from './sizes';
import type { Strain } from './strain';
/** What decides about the encodings of one video line. */
export interface Wishes {
    /** The layers somebody watches, by rid; undefined: not told, so all. A line without rids has one layer: watched or not. */
    wanted: readonly string[] | undefined;
    /** Bit/s that fit the networks of all who watch a layer, by rid; absent: as planned. */
    most: Readonly<Record<string, number>> | undefined;
    strain: Strain;
    /** The picture's size, where it is too small for all encodings. */
    small: Size | undefined;
    /** What to give up first; undefined: the browser decides. */
    keep: 'resolution' | 'framerate' | undefined;
}
export declare const NO_WISHES: Wishes;
type Encoding = Pick<RTCRtpEncodingParameters, 'rid' | 'active' | 'maxFramerate' | 'maxBitrate' | 'scaleResolutionDownBy'>;
/**
 * The encodings, the smallest size first, as the wishes would have them. Planned are the bit/s of each as it was negotiated, by
 * rid; of an encoding without, no rate is changed. Pure.
 */
export declare function shape<T extends Encoding>(encodings: readonly T[], { wanted, most, strain, small }: Wishes, planned?: ReadonlyMap<string, number>): T[];
/** What a track with that content hint should keep when something must go. */
export declare function keeps(contentHint: string): Wishes['keep'];
/** Keeps the encodings of one sender as they should be. */
export declare class Encodings {
    #private;
    private readonly sender;
    constructor(sender: () => RTCRtpSender | undefined);
    get wishes(): Wishes;
    wish(change: Partial<Wishes>): void;
    /** Applies the wishes: after they changed, and to a new connection's sender. One change after the other. */
    apply(): void;
}
export {};
