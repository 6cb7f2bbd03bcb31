import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ParleyError } from '../src/errors';
import { Batches } from '../src/files/batches';
import { Files } from '../src/files/files';
import { Outbox } from '../src/files/outbox';
import type { Transfer } from '../src/files/transfer';
import { Turns } from '../src/files/turns';
import { parseSignal } from '../src/files/wire';
import type { Json } from '../src/protocol';

describe('turns', () => {
  it('lets so many run, the others in order as places come free', () => {
    const turns = new Turns(2);
    const ran: number[] = [];
    const back = [1, 2, 3, 4, 5].map((n) => turns.take(() => ran.push(n)));
    expect(ran).toEqual([1, 2]);
    back[3]?.(); // left the line
    back[0]?.();
    back[0]?.(); // once is enough
    expect(ran).toEqual([1, 2, 3]);
    back[1]?.();
    expect(ran).toEqual([1, 2, 3, 5]);
  });
});

describe('outbox', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());
  const outbox = (perSecond = 30) =>
    new Outbox(
      () => perSecond,
      () => Date.now(),
    );

  it('keeps to a share of what the server takes, and loses nothing', async () => {
    const out = outbox();
    const sent: number[] = [];
    for (let n = 0; n < 200; n++) void out.add(async () => void sent.push(n), true);
    await vi.advanceTimersByTimeAsync(0);
    expect(sent.length).toBeLessThanOrEqual(45);
    await vi.advanceTimersByTimeAsync(2000);
    expect(sent.length).toBeLessThanOrEqual(45 - 15 + 40);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(sent).toEqual(Array.from({ length: 200 }, (_, n) => n));
  });

  it('puts what is under way before further offers, and leaves out what nobody wants any more', async () => {
    const out = outbox(1); // one at once, then one in 1.5 s
    const sent: string[] = [];
    const say = (what: string) => async () => void sent.push(what);
    void out.add(say('first'), true);
    void out.add(say('offer'), true);
    const dropped = out.add(say('gone'), true, () => false);
    void out.add(say('urgent'));
    await vi.advanceTimersByTimeAsync(10_000);
    expect(sent).toEqual(['first', 'urgent', 'offer']);
    await dropped;
  });

  it('tries again after the time that the server names', async () => {
    const out = outbox();
    let tries = 0;
    const sent = out.add(async () => {
      if (++tries < 3) throw new ParleyError('rate_limited', undefined, true, 500);
    });
    await vi.advanceTimersByTimeAsync(400);
    expect(tries).toBe(1);
    await vi.advanceTimersByTimeAsync(700);
    await sent;
    expect(tries).toBe(3);
  });
});

describe('batches', () => {
  it('one yes covers what was announced, and no more', () => {
    const all = new Batches();
    const batch = { id: 'batch-0001', count: 3, size: 30 };
    expect(all.offered('a', batch, 10)).toBe('open');
    all.answer('a', batch, 'yes');
    expect(all.offered('a', batch, 10)).toBe('yes');
    expect(all.offered('b', batch, 10)).toBe('open'); // somebody else's
    expect(all.offered('a', batch, 11)).toBeUndefined(); // too big
    expect(all.offered('a', batch, 10)).toBe('yes');
    expect(all.offered('a', batch, 0)).toBeUndefined(); // too many
  });

  it('is read from an offer, damage makes it none', () => {
    const offer = (batch: unknown) =>
      parseSignal({
        app: 'parley.file',
        transfer: 'transfer-1',
        type: 'offer',
        name: 'a',
        size: 1,
        batch: batch as Json,
      })?.signal;
    expect(offer({ id: 'batch-0001', count: 2, size: 5 })).toMatchObject({ batch: { count: 2, size: 5 } });
    for (const bad of [null, 5, [], {}, { id: 'batch-0001', count: 1, size: 5 }, { id: '!', count: 2, size: 5 }])
      expect(offer(bad)).toMatchObject({ name: 'a', batch: undefined });
  });
});

class FakePeerConnection {
  signalingState = 'stable';
  createDataChannel = () => ({ readyState: 'connecting' });
  createOffer = async () => ({ type: 'offer', sdp: '' });
  async setLocalDescription(): Promise<void> {}
  async setRemoteDescription(): Promise<void> {}
  close(): void {
    this.signalingState = 'closed';
  }
}

/** Two or more people whose signals reach each other at once; connections never open. */
function people(ids: string[], perSecond = 1e6): Map<string, { files: Files; offered: Transfer[] }> {
  const all = new Map<string, { files: Files; offered: Transfer[] }>();
  for (const id of ids) {
    const offered: Transfer[] = [];
    const files = new Files({
      signal: async (to, data) => void all.get(to)?.files.receive(id, structuredClone(data)),
      iceServers: () => [],
      offered: (transfer) => offered.push(transfer),
      messagesPerSecond: () => perSecond,
    });
    all.set(id, { files, offered });
  }
  return all;
}
const settled = () => new Promise((resolve) => setTimeout(resolve));
const photos = (n: number) => Array.from({ length: n }, (_, i) => new File(['x'.repeat(10)], `IMG_${i}.jpg`));
const states = (transfers: readonly Transfer[]) =>
  transfers.reduce<Record<string, number>>((n, t) => Object.assign(n, { [t.state]: (n[t.state] ?? 0) + 1 }), {});

describe('files', () => {
  beforeEach(() => {
    vi.stubGlobal('document', { addEventListener: () => {} });
    vi.stubGlobal('navigator', {});
    vi.stubGlobal('RTCPeerConnection', FakePeerConnection);
  });
  afterEach(() => void vi.unstubAllGlobals());

  it('one file reaches everybody, however many: who says yes waits in turn', async () => {
    const names = Array.from({ length: 20 }, (_, i) => `guest-${i}`);
    const all = people(['host', ...names]);
    const sent = all.get('host')?.files.sendAll(photos(1), names) ?? [];
    await vi.waitUntil(() => names.every((n) => all.get(n)?.offered.length === 1));
    expect(all.get('guest-0')?.offered[0]?.batch).toBeUndefined(); // one file is no batch
    for (const n of names) void all.get(n)?.offered[0]?.accept();
    await vi.waitUntil(() => states(sent).offered === undefined);
    await settled();
    expect(states(sent)).toEqual({ connecting: 16, queued: 4 });
    sent[0]?.cancel();
    await vi.waitUntil(() => states(sent).connecting === 16);
    expect(states(sent)).toEqual({ cancelled: 1, connecting: 16, queued: 3 });
    for (const { files } of all.values()) files.close();
  });

  it('one yes takes what was sent together, a few at a time', async () => {
    const all = people(['ann', 'bob'], 20);
    const sent = all.get('ann')?.files.sendAll(photos(40), ['bob']) ?? [];
    const offered = all.get('bob')?.offered ?? [];
    await vi.waitUntil(() => offered.length > 0);
    expect(offered[0]?.batch).toMatchObject({ count: 40, size: 400 });
    void offered[0]?.accept({ all: true });
    await vi.waitUntil(() => offered.length === 40 && states(sent).connecting === 8, { timeout: 9000 });
    expect(states(offered)).toEqual({ queued: 40 - 8, connecting: 8 });
    for (const t of offered.slice(0, 8)) t.cancel();
    await vi.waitUntil(() => states(sent).cancelled === 8 && states(sent).connecting === 8, { timeout: 9000 });
    expect(states(sent)).toEqual({ cancelled: 8, connecting: 8, offered: 24 });
    for (const { files } of all.values()) files.close();
  });

  it('one no declines it all, what is still to be named too', async () => {
    const all = people(['ann', 'bob'], 20);
    const offered = all.get('bob')?.offered ?? [];
    const sent = all.get('ann')?.files.sendAll(photos(40), ['bob']) ?? [];
    await vi.waitUntil(() => offered.length > 0);
    expect(offered.length).toBeLessThan(40);
    offered[0]?.reject({ all: true });
    await vi.waitUntil(() => states(sent).rejected === 40);
    expect(states(offered)).toEqual({ rejected: offered.length });
    for (const { files } of all.values()) files.close();
  });

  it('too many questions are declined as busy; a batch is one', async () => {
    const all = people(['ann', 'bob']);
    const ann = all.get('ann')?.files;
    const offered = all.get('bob')?.offered ?? [];
    ann?.sendAll(photos(50), ['bob']);
    await vi.waitUntil(() => offered.length === 50);
    const single = photos(40).map((f) => ann?.send(f, 'bob') as Transfer);
    await vi.waitUntil(() => states(single).rejected === 9);
    expect(states(single)).toEqual({ offered: 31, rejected: 9 });
    expect(single.find((t) => t.state === 'rejected')?.error?.code).toBe('peer_busy');
    for (const { files } of all.values()) files.close();
  });

  it('what cannot be read is not offered, and says why', async () => {
    const all = people(['ann', 'bob']);
    const broken = (name: string) => {
      const file = new File(['x'], 'holiday');
      file.slice = () => ({ arrayBuffer: () => Promise.reject(new DOMException('no', name)) }) as unknown as Blob;
      return file;
    };
    const gone = all.get('ann')?.files.send(broken('NotFoundError'), 'bob');
    const folder = all.get('ann')?.files.send(broken('NotReadableError'), 'bob');
    await vi.waitUntil(() => gone?.final && folder?.final);
    expect([gone?.error?.code, folder?.error?.code]).toEqual(['file_gone', 'file_unreadable']);
    expect(all.get('bob')?.offered).toEqual([]);
    for (const { files } of all.values()) files.close();
  });

  it('what goes between offer and yes is told to both with the right reason', async () => {
    const all = people(['ann', 'bob']);
    const file = new File(['x'], 'a.txt');
    const sent = all.get('ann')?.files.send(file, 'bob');
    const offered = all.get('bob')?.offered ?? [];
    await vi.waitUntil(() => offered.length === 1);
    file.slice = () =>
      ({ arrayBuffer: () => Promise.reject(new DOMException('no', 'NotFoundError')) }) as unknown as Blob;
    await offered[0]?.accept();
    await vi.waitUntil(() => sent?.final && offered[0]?.final);
    expect([sent?.error?.code, offered[0]?.error?.code]).toEqual(['file_gone', 'sender_failed']);
    for (const { files } of all.values()) files.close();
  });
});
