// How many slots to offer. Few steps: each growth costs a negotiation.
const STEPS = [1, 4, 9, 16, 25];

/** The number of slots for so many streams of others, at most the server's limit. */
export function slotStep(streams: number, most = 25): number {
  const step = STEPS.find((s) => s >= streams) ?? STEPS[STEPS.length - 1]!;
  return Math.max(1, Math.min(step, most));
}
