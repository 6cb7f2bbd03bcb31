import type { StreamStats } from './stats';
/** 5: excellent, 4: good, 3: fair, 2: poor, 1: bad. */
export type Quality = 1 | 2 | 3 | 4 | 5;
/** A score of the server's, kept in bounds; undefined where it is none. */
export declare function score(value: unknown): Quality | undefined;
/**
 * How good a participant's sound and picture arrive, from 5 (nothing lost) to 1 (hardly usable): the worst of loss,
 * standing pictures and round trip over their streams. Undefined while nothing flows.
 */
export declare function quality(streams: readonly StreamStats[]): Quality | undefined;
