import { describe, expect, it } from 'vitest';
import { type Channel, Flow } from '../src/files/flow';
import { Speed } from '../src/files/speed';

class FakeChannel implements Channel {
  bufferedAmount = 0;
  bufferedAmountLowThreshold = 0;
  onbufferedamountlow: ((event: Event) => unknown) | null = null;
  sent: Uint8Array[] = [];
  send(data: ArrayBuffer | ArrayBufferView<ArrayBuffer> | string): void {
    const chunk = data as Uint8Array<ArrayBuffer>;
    this.sent.push(chunk.slice());
    this.bufferedAmount += chunk.length;
  }
  drain(bytes: number): void {
    const before = this.bufferedAmount;
    this.bufferedAmount = Math.max(0, before - bytes);
    if (before > this.bufferedAmountLowThreshold && this.bufferedAmount <= this.bufferedAmountLowThreshold) {
      this.onbufferedamountlow?.(new Event('bufferedamountlow'));
    }
  }
  get total(): number {
    return this.sent.reduce((sum, c) => sum + c.length, 0);
  }
}

const settle = () => new Promise((resolve) => setTimeout(resolve));
const block = (size: number) => Uint8Array.from({ length: size }, (_, i) => i & 255).buffer;

describe('Flow', () => {
  it('sends a block in messages, whole and in order', async () => {
    const channel = new FakeChannel();
    const flow = new Flow(channel, { chunk: 64 });
    expect(await flow.send(block(150))).toBe(true);
    expect(channel.sent.map((c) => c.length)).toEqual([64, 64, 22]);
    expect(Buffer.concat(channel.sent)).toEqual(Buffer.from(block(150)));
  });

  it('pauses at the high watermark and goes on at the low one', async () => {
    const channel = new FakeChannel();
    const flow = new Flow(channel, { chunk: 100, high: 400, low: 100 });
    const sending = flow.send(block(1000));
    await settle();
    expect(channel.total).toBe(400);
    channel.drain(200); // 200 left: above the low watermark
    await settle();
    expect(channel.total).toBe(400);
    channel.drain(100); // 100 left: at it
    await settle();
    expect(channel.total).toBe(700);
    while (channel.total < 1000) {
      channel.drain(400);
      await settle();
    }
    expect(await sending).toBe(true);
    expect(channel.bufferedAmountLowThreshold).toBe(100);
  });

  it('has no more than a window on its way', async () => {
    const channel = new FakeChannel();
    const flow = new Flow(channel, { chunk: 100, high: 1 << 20, window: 300 });
    const sending = flow.send(block(700));
    await settle();
    expect(channel.total).toBe(300);
    flow.ack(100);
    await settle();
    expect(channel.total).toBe(400);
    flow.ack(99_999); // more than was sent: a lie, ignored
    await settle();
    expect(channel.total).toBe(400);
    flow.ack(50); // older than what is known
    flow.ack(400);
    await settle();
    expect(await sending).toBe(true);
    expect(flow.acked).toBe(400);
  });

  it('ends a paused send when it is stopped', async () => {
    const channel = new FakeChannel();
    const flow = new Flow(channel, { chunk: 100, high: 100 });
    const sending = flow.send(block(1000));
    await settle();
    flow.stop();
    expect(await sending).toBe(false);
    expect(channel.total).toBe(100);
  });
});

describe('Speed', () => {
  it('is that of the last seconds', () => {
    const speed = new Speed();
    expect(speed.mark(0, 0)).toBe(0);
    expect(speed.mark(1000, 1000)).toBe(1000);
    for (let s = 2; s <= 10; s++) speed.mark(1000, s * 1000); // stands still
    expect(speed.mark(1000, 11_000)).toBe(0);
  });
});
