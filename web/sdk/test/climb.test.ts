import { expect, it } from 'vitest';
import { Climb, shortage } from '../src/climb';
import { limited } from '../src/sdp';

const LOOK = 300;

/** A browser on a network: its estimate grows by itself by 8 % a second, and by a burst to what the network takes. */
function run(seconds: number, network: (ms: number) => number, start: number) {
  const climb = new Climb();
  const wanted = 2_350_000;
  const bursts: { at: number; limit: number }[] = [];
  let estimate = start;
  let good: number | undefined;
  for (let at = 0; at < seconds * 1000; at += LOOK) {
    estimate = Math.min(estimate * 1.024, Math.max(0.95 * network(at), 1));
    const short = estimate < wanted;
    if (!short) good ??= at;
    const limit = climb.next(at, estimate, short);
    if (limit === undefined) continue;
    bursts.push({ at, limit });
    estimate = Math.max(estimate, Math.min(limit, 0.95 * network(at)));
  }
  return { bursts, good };
}

it('is back within four seconds of a good network', () => {
  for (let from = 5000; from < 9000; from += 250) {
    const { good } = run(20, (ms) => (ms < from ? 500_000 : 50_000_000), 400_000);
    expect(good! - from).toBeLessThan(4000);
  }
});

it('bothers a network that has no more rarely, and never with much more than it may have', () => {
  const { bursts } = run(60, () => 500_000, 300_000);
  expect(bursts.length).toBeLessThanOrEqual(60 / 2.5 + 1);
  for (const { limit } of bursts) expect(limit).toBeLessThan(1.8 * 500_000);
});

it('leaves alone who has enough, and who has just been told of congestion', () => {
  const climb = new Climb();
  for (let at = 0; at < 10_000; at += LOOK) expect(climb.next(at, 5_000_000, false)).toBeUndefined();
  let estimate = 2_000_000;
  for (let at = 10_000; at < 14_000; at += LOOK) {
    estimate *= 0.9;
    expect(climb.next(at, estimate, true)).toBeUndefined();
  }
});

it('reads what browsers say', () => {
  const pair = { type: 'candidate-pair', nominated: true, availableOutgoingBitrate: 4e5 };
  const q = { type: 'outbound-rtp', kind: 'video', qualityLimitationReason: 'bandwidth' };
  expect(shortage([pair, q])).toEqual({ estimate: 4e5, short: true });
  expect(shortage([pair, { ...q, qualityLimitationReason: 'none' }])).toEqual({ estimate: 4e5, short: false });
  expect(shortage([q])).toBeUndefined(); // Firefox tells no estimate
});

it('limits the section with that mid', () => {
  const sdp = ['v=0', 'm=video 9 X 96', 'c=IN IP4 0', 'a=mid:1', 'm=video 9 X 96', 'c=IN IP4 0', 'a=mid:2', ''].join(
    '\r\n',
  );
  const once = limited(sdp, '2', 1000);
  expect(once).toBe(sdp.replace('c=IN IP4 0\r\na=mid:2', 'c=IN IP4 0\r\nb=TIAS:1000\r\na=mid:2'));
  expect(limited(once, '2', 2000)).toBe(once.replace('1000', '2000'));
  expect(limited(sdp, undefined, 1000)).toBe(sdp);
});
