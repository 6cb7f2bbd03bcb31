/** 0: everything. 1: without the largest size, or at fewer frames where there is one size. 2: fewer frames still. */
export type Strain = 0 | 1 | 2;
/** Decides how much of the load to shed, from what the encoders say now and then. */
export declare class StrainGauge {
    #private;
    level: Strain;
    /** Takes a look at `now`, milliseconds: whether some encoder was limited by the CPU. Returns the level to keep. */
    next(now: number, limited: boolean): Strain;
}
