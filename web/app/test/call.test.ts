import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ParleyError } from '../../sdk/src/errors';
import { Participant } from '../../sdk/src/participant';
import { bind } from '../src/backend';
import { type FakeRoom, fakeBackend, somebody } from '../src/fake';
import { scenario } from '../src/fakescenario';
import * as call from '../src/state/call';
import { notices } from '../src/state/notices';
import { cameraOn, chooseDevice, microphoneOn, toggleMicrophone } from '../src/state/own';
import { route } from '../src/state/route';
import { saveSettings, settings } from '../src/state/settings';
import { looks, rates, statsJSON, streamKey, watchStats } from '../src/state/stats';
import {
  acceptFile,
  canTryAgain,
  cards,
  declineFile,
  dismissCards,
  pileList,
  refuseFolders,
  saveFiles,
  sendFiles,
  tryAgain,
  unsaved,
} from '../src/state/transfers';
import { panel, pinned } from '../src/state/view';

const track = (kind: string) =>
  Object.assign(new EventTarget(), { kind, stop: vi.fn(), label: 'Built-in' }) as unknown as MediaStreamTrack;

async function joined(
  query = 'people=3',
  tracks: { camera?: MediaStreamTrack; microphone?: MediaStreamTrack } = {},
): Promise<FakeRoom> {
  bind(fakeBackend(scenario(new URLSearchParams(query))));
  await call.join({
    room: 'standup',
    name: 'Sam',
    tracks: () => ({ camera: Promise.resolve(tracks.camera), microphone: Promise.resolve(tracks.microphone) }),
  });
  return call.room.value as FakeRoom;
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('document', { visibilityState: 'visible' });
  vi.stubGlobal('navigator', { userAgent: 'test' });
});

afterEach(async () => {
  await call.leave();
  call.dismissEnding();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe('what the network allows', () => {
  test('a video that is held back is marked until it flows', async () => {
    const room = await joined();
    room.fakePause('p0', 'camera', 'bandwidth');
    room.fakePause('p1', 'screen', 'codec');
    expect([...call.held.value]).toEqual([
      ['p0', 'bandwidth'],
      ['p1/screen', 'codec'],
    ]);
    room.fakePause('p0', 'camera', undefined);
    expect([...call.held.value.keys()]).toEqual(['p1/screen']);
  });

  test('failed media stays on show until it works, without a note', async () => {
    const room = await joined();
    room.emit('error', new ParleyError('media_failed'));
    room.fakeMedia('failed');
    vi.advanceTimersByTime(60_000);
    expect(call.media.value).toBe('failed');
    expect(notices.value).toEqual([]);
    room.fakeMedia('connected');
    expect(call.media.value).toBe('connected');
  });

  test('scores survive whatever else changes', async () => {
    const room = await joined();
    room.fakeGrade('p0', 2);
    room.fakeJoin(somebody(7));
    expect([...call.qualities.value]).toEqual([['p0', 2]]);
    room.fakeLeave('p0');
    expect([...call.qualities.value]).toEqual([]);
  });

  test('what is pinned comes first', async () => {
    const room = await joined();
    pinned.value = 'p0';
    expect([...room.pins]).toEqual(['camera p0']);
    pinned.value = 'p1/screen';
    expect([...room.pins]).toEqual(['screen p1']);
    pinned.value = undefined;
    expect([...room.pins]).toEqual([]);
  });

  test('statistics come while somebody looks, two minutes of them', async () => {
    await joined();
    const one = watchStats();
    const two = watchStats();
    await vi.advanceTimersByTimeAsync(200_000);
    expect(looks.value).toHaveLength(120);
    one();
    one();
    await vi.advanceTimersByTimeAsync(2000);
    const last = looks.value.at(-1);
    two();
    await vi.advanceTimersByTimeAsync(5000);
    expect(looks.value.at(-1)).toBe(last);
    const camera = last?.streams.find((s) => s.participant === 'p0' && s.kind === 'camera');
    expect(camera && rates(streamKey(camera), looks.value)).toHaveLength(120);
    expect(JSON.parse(statsJSON())).toMatchObject({ room: 'standup', names: { p0: 'Ann' }, me: 'me' });
  });
});

describe('joining', () => {
  test('mirrors the room', async () => {
    await joined('people=3&locked=1');
    expect(call.phase.value).toBe('in');
    expect(call.people.value.map((p) => p.name)).toEqual(['Ann', 'Bob', 'Sam']);
    expect(call.others.value).toHaveLength(2);
    expect(call.locked.value).toBe(true);
    expect(settings.value.recent[0]).toBe('standup');
  });

  test('a refusal is an ending, and lets go of the devices', async () => {
    const camera = track('video');
    await joined('fail=room_full', { camera });
    expect(call.phase.value).toBe('over');
    expect(call.ending.value).toMatchObject({ code: 'room_full', joined: false });
    expect(camera.stop).toHaveBeenCalled();
  });

  test('gives the tracks of the check to the room, and closes them in the end', async () => {
    const tracks = { camera: track('video'), microphone: track('audio') };
    await joined('people=2', tracks);
    expect([microphoneOn.value, cameraOn.value]).toEqual([true, true]);
    await call.leave();
    expect(tracks.camera.stop).toHaveBeenCalled();
    expect(tracks.microphone.stop).toHaveBeenCalled();
  });

  test('another address ends it, and closes the tracks', async () => {
    route.value = { page: 'room', room: 'standup' };
    const stop = call.followRoute();
    const camera = track('video');
    await joined('people=2', { camera });
    expect(call.phase.value).toBe('in');
    route.value = { page: 'first' };
    expect([call.phase.value, call.room.value]).toEqual(['out', undefined]);
    expect(camera.stop).toHaveBeenCalled();
    stop();
  });

  test('another address gives up a join on its way', async () => {
    route.value = { page: 'room', room: 'standup' };
    const stop = call.followRoute();
    const camera = track('video');
    const joining = joined('people=2', { camera });
    route.value = { page: 'room', room: 'other' };
    expect(call.phase.value).toBe('out');
    await joining;
    expect([call.phase.value, call.room.value]).toEqual(['out', undefined]);
    expect(camera.stop).not.toHaveBeenCalled(); // it still is the page's
    stop();
  });

  test('whoever may not publish keeps nothing open', async () => {
    const microphone = track('audio');
    await joined('can=subscribe', { microphone });
    expect(microphone.stop).toHaveBeenCalled();
    expect(microphoneOn.value).toBe(false);
  });
});

describe('in the call', () => {
  test('people come and go; a pin on one who left is taken off', async () => {
    const room = await joined('people=3');
    pinned.value = 'p0';
    room.fakeJoin(somebody(7));
    expect(call.people.value.map((p) => p.name)).toContain('Hana');
    room.fakeLeave('p0');
    expect(call.people.value.map((p) => p.name)).not.toContain('Ann');
    expect(pinned.value).toBeUndefined();
  });

  test('messages are unread until the chat is open', async () => {
    const room = await joined('people=3');
    room.fakeSay('p0', 'hello');
    room.fakeSay('me', 'hi');
    expect(call.unread.value).toBe(1);
    call.markRead();
    expect(call.unread.value).toBe(0);
    panel.value = 'chat';
    room.fakeSay('p1', 'again');
    expect(call.unread.value).toBe(0);
    expect(call.messages.value).toHaveLength(3);
  });

  test('a device that fails says so and stays off', async () => {
    await joined('people=2&device=device_busy');
    await toggleMicrophone();
    expect(microphoneOn.value).toBe(false);
    expect(notices.value.at(-1)?.title).toBe('The microphone is busy');
  });

  test('a saved device that is gone is a wish: any other serves, and the choice stays', async () => {
    const room = await joined('people=2');
    saveSettings({ microphone: 'headset' });
    room.gone.add('headset');
    await toggleMicrophone();
    expect([microphoneOn.value, room.wishes]).toEqual([true, ['headset', undefined]]);
    expect([settings.value.microphone, notices.value]).toEqual(['headset', []]);
    saveSettings({ microphone: '' });
  });

  test('a choice that does not open is not remembered', async () => {
    const room = await joined('people=2');
    await toggleMicrophone();
    room.gone.add('desk');
    await chooseDevice('microphone', 'desk');
    expect([microphoneOn.value, settings.value.microphone]).toEqual([true, '']);
    expect(notices.value.at(-1)?.title).toBe('No microphone found');
    await chooseDevice('microphone', 'other');
    expect(settings.value.microphone).toBe('other');
    saveSettings({ microphone: '' });
  });

  test('an unplugged microphone is replaced at once, a camera is not; both are told', async () => {
    const tracks = { camera: track('video'), microphone: track('audio') };
    const room = await joined('people=2', tracks);
    tracks.microphone.dispatchEvent(new Event('ended'));
    await vi.advanceTimersByTimeAsync(1);
    expect(room.wishes).toEqual([undefined, undefined, undefined]); // two published, one in place of what is gone
    expect(notices.value.at(-1)?.title).toBe('The microphone was unplugged');
    tracks.camera.dispatchEvent(new Event('ended'));
    await vi.advanceTimersByTimeAsync(1);
    expect(room.wishes).toHaveLength(3);
    expect(notices.value.at(-1)).toMatchObject({
      title: 'The camera was unplugged',
      advice: expect.stringMatching(/Switch the camera on again/),
    });
  });

  test('who vanishes is marked until they are back', async () => {
    const room = await joined('people=2');
    room.fakeJoin(somebody(0, false, new Date()));
    const since = call.people.value.find((p) => p.id === 'p0')?.awaySince;
    expect(since).toBeTypeOf('number');
    room.fakeJoin(somebody(0, false, new Date()));
    expect(call.people.value.find((p) => p.id === 'p0')?.awaySince).toBe(since);
    room.fakeJoin(somebody(0));
    expect(call.people.value.find((p) => p.id === 'p0')?.awaySince).toBeUndefined();
  });

  test('the microphone goes on and off', async () => {
    await joined('people=2');
    await toggleMicrophone();
    expect(microphoneOn.value).toBe(true);
    await toggleMicrophone();
    expect(microphoneOn.value).toBe(false);
  });

  test('reconnecting is shown', async () => {
    const room = await joined();
    room.fakeState('reconnecting');
    expect(call.connection.value).toBe('reconnecting');
    room.fakeState('connected');
    expect(call.connection.value).toBe('connected');
  });

  test('a room that closes gives its reason', async () => {
    const room = await joined();
    room.fakeClose('removed');
    expect(call.phase.value).toBe('over');
    expect(call.ending.value).toMatchObject({ code: 'removed', joined: true });
    expect(call.people.value).toEqual([]);
  });

  test('leaving is no error', async () => {
    await joined();
    await call.leave();
    expect(call.ending.value?.code).toBe('left');
  });
});

describe('files', () => {
  const file = new File(['x'], 'a.txt');

  test('to everyone: one transfer each', async () => {
    await joined('people=3');
    sendFiles([file], ['p0', 'p1']);
    expect(cards.value.map((c) => [c.who, c.incoming, c.state])).toEqual([
      ['Ann', false, 'offered'],
      ['Bob', false, 'offered'],
    ]);
  });

  test('to nobody: says so', async () => {
    await joined('people=1');
    sendFiles([file], []);
    expect(cards.value).toEqual([]);
    expect(notices.value.at(-1)?.title).toBe('Nobody is here to send it to');
  });

  test('an offer is accepted, received and saved', async () => {
    const room = await joined('people=2');
    const transfer = room.fakeFile('b.zip', 1000, 'in', 'p0');
    expect(cards.value[0]).toMatchObject({ who: 'Ann', state: 'offered', incoming: true });
    acceptFile(transfer.id);
    expect(cards.value[0]?.state).toBe('active');
    transfer.set('done', 1);
    expect(cards.value[0]).toMatchObject({ state: 'done', savable: true });
    void saveFiles([transfer.id]);
    await vi.advanceTimersByTimeAsync(1);
    expect(cards.value[0]?.savable).toBe(false);
    dismissCards([transfer.id]);
    expect(cards.value).toEqual([]);
  });

  test('a declined offer is gone', async () => {
    const room = await joined('people=2');
    const transfer = room.fakeFile('b.zip', 1000, 'in', 'p0');
    declineFile(transfer.id);
    expect(transfer.state).toBe('rejected');
    expect(cards.value).toEqual([]);
  });

  test('a failed one can be sent again, a received one cannot', async () => {
    const room = await joined('people=2');
    sendFiles([file], ['p0']);
    const [sent] = room.transfers;
    sent?.set('failed', 0.5, 'peer_unreachable');
    expect(cards.value[0] && canTryAgain(cards.value[0])).toBe(true);
    tryAgain([sent?.id ?? '']);
    expect(cards.value.map((c) => c.state)).toEqual(['offered']);
    const received = room.fakeFile('b.zip', 1000, 'in', 'p0').set('failed', 0, 'disk_full');
    const card = cards.value.find((c) => c.id === received.id);
    expect(card && canTryAgain(card)).toBe(false);
  });

  test('one click answers for all that was sent together, and it is asked about once', async () => {
    const room = await joined('people=2');
    const batch = { id: 'b', count: 3, size: 3000 };
    const all = [1, 2, 3].map((n) => room.fakeFile(`${n}.jpg`, 1000, 'in', 'p0', batch));
    expect(pileList.value).toHaveLength(1);
    acceptFile('f0');
    expect(all[0]?.accepted).toEqual({ all: true });
    for (const t of all) t.set('done', 1);
    expect(unsaved.value.map((c) => c.name)).toEqual(['1.jpg', '2.jpg', '3.jpg']);
    void saveFiles(all.map((t) => t.id));
    await vi.advanceTimersByTimeAsync(1000);
    expect(unsaved.value).toEqual([]);
    dismissCards(all.map((t) => t.id));
    expect([cards.value, all.map((t) => t.discarded)]).toEqual([[], [true, true, true]]);
  });

  test('a batch that is declined goes as a whole', async () => {
    const room = await joined('people=2');
    const batch = { id: 'b', count: 2, size: 2000 };
    const [one] = [1, 2].map((n) => room.fakeFile(`${n}.jpg`, 1000, 'in', 'p0', batch));
    declineFile('f1');
    expect(cards.value).toEqual([]);
    expect(one?.discarded).toBe(true);
  });

  test('what is sent again goes to the same person, who may have come back as another participant', async () => {
    const room = await joined('people=3');
    sendFiles([file], ['p0', 'p1']);
    for (const t of room.transfers) t.set('failed', 0.5, 'peer_unreachable');
    const back = new Participant({ id: 'p9', identity: 'p0@example.org', name: 'Ann' });
    room.fakeLeave('p0');
    room.fakeJoin(back);
    tryAgain(room.transfers.map((t) => t.id));
    expect(pileList.value.map((p) => p.cards.map((c) => c.peer))).toEqual([['p9', 'p1']]);
  });

  test('a folder is refused by name', async () => {
    await joined('people=2');
    refuseFolders(['holiday']);
    expect(notices.value.at(-1)).toMatchObject({
      title: '“holiday” is a folder',
      advice: expect.stringMatching(/cannot/),
    });
  });
});
