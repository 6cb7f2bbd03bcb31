import { expect, it } from 'vitest';
import { Climb, shortage } from '../src/climb';
import { limited } from '../src/sdp';

const LOOK = 300;

/** A browser on a network: its estimate grows by itself by 8 % a second, and by a burst to what the network takes. */
function run(seconds: number, network: (ms: number) => number, start: number) {
  const climb = new Climb();
  const bursts: number[] = [];
  let estimate = start;
  let good: number | undefined;
  for (let at = 0; at < seconds * 1000; at += LOOK) {
    estimate = Math.min(estimate * 1.024, 0.95 * network(at));
    const short = estimate < 2_350_000;
    if (!short) good ??= at;
    if (!climb.next(at, estimate, short)) continue;
    bursts.push(at);
    estimate = 0.95 * network(at);
  }
  return { bursts, good };
}

it('is back within five seconds of a good network', () => {
  for (let from = 5000; from < 9000; from += 250) {
    const { good } = run(20, (ms) => (ms < from ? 500_000 : 50_000_000), 400_000);
    expect(good! - from).toBeLessThan(4600);
  }
});

it('bothers a network that has no more rarely, and ever more rarely', () => {
  const { bursts } = run(300, () => 500_000, 400_000);
  for (const [i, at] of bursts.entries()) expect(at - (bursts[i - 1] ?? -Infinity)).toBeGreaterThanOrEqual(4000);
  expect(bursts.filter((at) => at < 20_000).length).toBeGreaterThanOrEqual(4);
  expect(bursts.filter((at) => at >= 200_000).length).toBeLessThanOrEqual(5);
});

it('leaves alone who has enough, and who has just been told of congestion', () => {
  const climb = new Climb();
  for (let at = 0; at < 10_000; at += LOOK) expect(climb.next(at, 5_000_000, false)).toBe(false);
  let estimate = 2_000_000;
  for (let at = 10_000; at < 14_000; at += LOOK) {
    estimate *= 0.9;
    expect(climb.next(at, estimate, true)).toBe(false);
  }
});

it('reads what browsers say', () => {
  const pair = { type: 'candidate-pair', nominated: true, availableOutgoingBitrate: 4e5 };
  const q = { type: 'outbound-rtp', kind: 'video', qualityLimitationReason: 'bandwidth' };
  expect(shortage([pair, q])).toEqual({ estimate: 4e5, short: true });
  expect(shortage([pair, { ...q, qualityLimitationReason: 'none' }])).toEqual({ estimate: 4e5, short: false });
  expect(shortage([q])).toBeUndefined(); // Firefox tells no estimate
});

it('limits all pictures but the one with that mid', () => {
  const section = (kind: string, mid: number, limit = '') =>
    `m=${kind} 9 X 96\r\nc=IN IP4 0\r\n${limit}a=mid:${mid}\r\n`;
  const sdp = `v=0\r\n${section('audio', 0)}${section('video', 1)}${section('video', 2)}`;
  const once = limited(sdp, '1', 1000);
  expect(once).toBe(`v=0\r\n${section('audio', 0)}${section('video', 1)}${section('video', 2, 'b=TIAS:1000\r\n')}`);
  expect(limited(once, '1', 2000)).toBe(once.replace('1000', '2000'));
});
