// Who gets in, and how it is said: words, the exchange at the door, invitations, the waiting list, other tabs.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { bind } from '../src/backend';
import { type FakeRoom, fakeBackend, marked, somebody } from '../src/fake';
import { fakeKnock } from '../src/fakedoor';
import { scenario } from '../src/fakescenario';
import { endingWords } from '../src/pages/over';
import { bans, letBackIn, readBans } from '../src/state/bans';
import * as call from '../src/state/call';
import { entry, prepare, withoutInvitation } from '../src/state/entry';
import { handOut, invitationLink, links, listed, makeInvitation, making, revoke, wish } from '../src/state/invite';
import { admit, asking, decline, knockLine, knocks, later } from '../src/state/knocks';
import { notices } from '../src/state/notices';
import { person } from '../src/state/people';
import { forgetTokens, invitationTo, keepInvitation, token, tokenFor } from '../src/state/route';
import { host, loadAccess, reloadAccess, server, signIn, signOut, wayToInvite } from '../src/state/server';
import { type Channel, Tabs, useTabs } from '../src/state/tabs';
import { type Coming, door, refusal } from '../src/text/entry';
import { chosen, guestChoices, guestMay, lifeChoices, lifeOf } from '../src/text/invite';

type Backed = ReturnType<typeof fakeBackend> & { entered: { invite?: string; token?: string }[] };

function backed(query: string): Backed {
  const b = fakeBackend(scenario(new URLSearchParams(query))) as Backed;
  bind(b);
  return b;
}

const none = () => ({ camera: Promise.resolve(undefined), microphone: Promise.resolve(undefined) });

function join(over: Partial<call.JoinRequest> = {}): Promise<void> {
  return call.join({ room: 'standup', name: 'Sam', tracks: none, ...over });
}

async function joined(query: string): Promise<FakeRoom> {
  backed(query);
  await reloadAccess();
  await join();
  return call.room.value as unknown as FakeRoom;
}

const moderator = 'can=publish,subscribe,message,moderate,invite,watch';

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('document', { visibilityState: 'visible' });
  vi.stubGlobal('navigator', { userAgent: 'test' });
  vi.stubGlobal('location', { origin: 'https://call.example' });
  useTabs(new Tabs(() => undefined));
});

afterEach(async () => {
  if (call.phase.value === 'waiting' || call.phase.value === 'joining') call.giveUp();
  await call.leave();
  call.dismissEnding();
  forgetTokens();
  wish.value = { knock: false };
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe('what will happen', () => {
  const coming = (over: Partial<Coming>): Coming => ({
    knock: false,
    guest: false,
    host: false,
    locked: false,
    occupied: true,
    ...over,
  });

  test.each([
    [{}, 'Join', false],
    [{ knock: true }, 'Ask to join', true],
    [{ knock: true, occupied: false }, 'Ask to join', true],
    [{ knock: true, occupied: undefined }, 'Ask to join', true],
    [{ guest: true }, 'Join', false],
    [{ guest: true, occupied: false }, 'Wait for the host', true],
    [{ guest: true, occupied: undefined }, 'Join', false],
    [{ host: true, occupied: false }, 'Join', false],
    [{ locked: true, host: true }, 'Ask to join', true],
  ])('%j: %s', (over, label, waits) => expect(door(coming(over), 'hosts')).toMatchObject({ label, waits }));

  test('whoever opens a room is told what that means', () => {
    expect(door(coming({ occupied: false }), 'anyone').words).toMatch(/moderator/);
    expect(door(coming({ occupied: false, host: true }), 'hosts').words).toMatch(/Invite/);
  });
});

describe('a door that stays shut leads on', () => {
  const hosts = { open: 'hosts', knock: true, signIn: ['passphrase'], insecure: false, lan: false } as const;

  test.each([
    'unauthorized',
    'token_expired',
    'sign_in_needed',
    'invitation_expired',
    'invitation_revoked',
    'invitation_invalid',
    'invitation_closed',
  ])('%s: knock, or sign in', (code) => {
    expect(refusal(code, hosts)).toMatchObject({ knock: true, signIn: true, again: false });
    expect(refusal(code, { ...hosts, knock: false })).toMatchObject({ knock: false, signIn: true });
    expect(refusal(code, { ...hosts, host: { identity: 'a', name: 'A' } }).signIn).toBe(false);
  });

  test('where an application makes the links, it is named', () => {
    const words = refusal('sign_in_needed', { ...hosts, open: 'tokens', knock: false, signIn: [] });
    expect(words).toMatchObject({ knock: false, signIn: false });
    expect(words.advice).toMatch(/application/);
  });

  test('a server that is away may be asked again', () => {
    expect(refusal('unreachable', undefined)).toMatchObject({ again: true, knock: false, signIn: false });
    expect(refusal('rate_limited', hosts).again).toBe(true);
  });
});

describe('entering', () => {
  test('an invitation is exchanged, and dropped by who asks without it', async () => {
    const b = backed('open=hosts&enter=guest');
    await reloadAccess();
    keepInvitation('standup', 'AQ');
    await prepare('standup');
    expect(entry.value).toMatchObject({ kind: 'open', guest: true, knock: false });
    expect(b.entered.at(-1)?.invite).toBe('AQ');
    await withoutInvitation('standup');
    expect(b.entered.at(-1)?.invite).toBeUndefined();
    expect(invitationTo('standup')).toBeUndefined();
  });

  test('a host does not use an invitation: he would be a guest', async () => {
    const b = backed('open=hosts&host=Ann');
    await reloadAccess();
    keepInvitation('standup', 'AQ');
    await prepare('standup');
    expect(b.entered.at(-1)?.invite).toBeUndefined();
    expect(entry.value).toMatchObject({ kind: 'open', host: true });
  });

  test('a good link of an application needs no exchange', async () => {
    const b = backed('open=tokens&enter=sign_in_needed');
    await reloadAccess();
    const claims = { room: 'standup', name: 'Zoë', exp: Math.round(Date.now() / 1000) + 60, knock: true };
    token.value = `x.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.y`;
    await prepare('standup');
    expect(b.entered).toEqual([]);
    expect(entry.value).toMatchObject({ kind: 'open', knock: true, name: 'Zoë' });
  });

  test('a refusal says until when to wait', async () => {
    backed('enter=rate_limited&retry=5000');
    await reloadAccess();
    await prepare('standup');
    expect(entry.value).toMatchObject({ kind: 'refused', code: 'rate_limited' });
    expect(entry.value.kind === 'refused' && entry.value.until - performance.now()).toBeGreaterThan(4900);
  });

  test('a join that is refused for what we have leads back to the door, everything else is an ending', async () => {
    backed('fail=token_expired');
    await join();
    expect(call.phase.value).toBe('out');
    expect(entry.value).toMatchObject({ kind: 'refused', code: 'token_expired' });
    backed('fail=declined&retry=60000');
    await join();
    expect(call.ending.value).toMatchObject({ code: 'declined', joined: false });
    expect((call.ending.value?.until ?? 0) - performance.now()).toBeGreaterThan(59_000);
  });

  test('signing in forgets the tokens; a wrong passphrase is told', async () => {
    backed('open=hosts');
    await reloadAccess();
    keepInvitation('standup', 'AQ');
    token.value = 'x';
    await signIn({ passphrase: 'p', name: 'Ann' });
    expect([host.value?.name, tokenFor('standup'), invitationTo('standup')]).toEqual(['Ann', undefined, undefined]);
    await signOut();
    expect(host.value).toBeUndefined();
    backed('open=hosts&signfail=wrong_passphrase');
    await expect(signIn({ passphrase: 'p' })).rejects.toMatchObject({ code: 'wrong_passphrase' });
  });

  test('a server that does not answer is asked again', async () => {
    backed('accessfail=unreachable');
    await reloadAccess();
    expect(server.value).toMatchObject({ kind: 'failed', code: 'unreachable' });
    backed('open=tokens');
    await loadAccess();
    expect(server.value).toMatchObject({ kind: 'known', access: { open: 'tokens' } });
  });
});

describe('waiting', () => {
  test('until one is let in, with the tracks as they are then', async () => {
    backed('waits=moderator&decide=5000');
    const tracks = vi.fn(none);
    const done = join({ tracks });
    await vi.advanceTimersByTimeAsync(10);
    expect([call.phase.value, call.waiting.value.for]).toEqual(['waiting', 'moderator']);
    expect(tracks).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(5000);
    await done;
    expect([call.phase.value, tracks.mock.calls.length]).toEqual(['in', 1]);
  });

  test('whoever stops waiting is out', async () => {
    backed('waits=host');
    const done = join();
    await vi.advanceTimersByTimeAsync(10);
    expect(call.waitingWords(call.waiting.value.for)[0]).toBe('The host is not here yet');
    call.giveUp();
    await done;
    expect([call.phase.value, call.ending.value]).toEqual(['out', undefined]);
  });
});

describe('letting in', () => {
  test('who waits is there from the start; toast and list follow', async () => {
    const room = await joined(`knocks=2&${moderator}`);
    expect(knocks.value).toHaveLength(2);
    room.fakeKnocking(fakeKnock(3));
    expect(asking.value.map((k) => k.id)).toEqual(['k0', 'k1', 'k3']);
    later();
    expect([asking.value.length, knocks.value.length]).toEqual([0, 3]);
    room.fakeKnocking(fakeKnock(4));
    expect(asking.value.map((k) => k.id)).toEqual(['k4']);
    admit('k0');
    decline('k4');
    expect(knocks.value.map((k) => k.id)).toEqual(['k1', 'k3']);
    admit();
    expect(knocks.value).toEqual([]);
  });

  test('in words', () => {
    expect(knockLine([fakeKnock(0)])).toBe('Bob wants to join');
    expect(knockLine([fakeKnock(0), fakeKnock(1)])).toBe('Bob and Mia Larsen want to join');
    expect(knockLine([0, 1, 2].map((n) => fakeKnock(n)))).toBe('3 people want to join');
    expect(knockLine([{ ...fakeKnock(0), name: '' }])).toBe('Somebody wants to join');
  });

  test('the moderator of a room may change', async () => {
    const room = await joined('people=2');
    room.fakePermissions(['publish', 'moderate']);
    expect(notices.value.at(-1)?.title).toBe('You are the moderator now');
    expect(call.can.value.has('moderate')).toBe(true);
    room.fakePermissions(['publish']);
    expect(notices.value.at(-1)?.title).toMatch(/not a moderator/);
  });

  test('whom the room keeps out can be let back in', async () => {
    const room = await joined(`bans=2&${moderator}`);
    await readBans(room);
    expect(bans.value.map((b) => b.identity)).toEqual(['b0', 'b1']);
    await letBackIn(room, 'b0');
    expect(bans.value.map((b) => b.identity)).toEqual(['b1']);
  });
});

test('marks come from the server: a name cannot set them', () => {
  const p = marked(somebody(0), { moderator: true });
  expect(person(p, 'me')).toMatchObject({ moderator: true, guest: false, identity: 'p0@example.org' });
  const imitator = marked(somebody(1), { guest: true, name: 'Аnn', like: 'p0' });
  expect(person(imitator, 'me')).toMatchObject({ moderator: false, guest: true, like: 'p0' });
});

describe('inviting', () => {
  test('by what this server and this person may', async () => {
    const way = async (query: string, ...can: string[]) => {
      backed(query);
      await reloadAccess();
      return wayToInvite(new Set(can));
    };
    expect(await way('open=anyone')).toBe('plain');
    expect(await way('open=hosts', 'invite')).toBe('invitation');
    expect(await way('open=hosts')).toBe('knock');
    expect(await way('open=hosts&knock=0')).toBe('none');
    expect(await way('open=tokens')).toBe('none');
    expect(await way('accessfail=unreachable', 'invite')).toBe('invitation');
  });

  test('one link, until the wish changes; what nobody has seen is taken back', async () => {
    const room = await joined(`open=hosts&${moderator}`);
    await makeInvitation(room);
    await makeInvitation(room);
    expect(room.list.wishes).toEqual([{ knock: false }]);
    expect(making.value).toMatchObject({ kind: 'ready', link: expect.stringMatching(/\/r\/standup#invite=AQ/) });
    wish.value = { knock: true };
    await makeInvitation(room);
    expect(links.value.map((i) => i.id)).toEqual(['i2']);
    handOut();
    wish.value = { knock: false };
    await makeInvitation(room);
    expect(links.value.map((i) => i.id)).toEqual(['i2', 'i3']);
    expect(listed(links.value, links.value.at(-1)).map((i) => i.id)).toEqual(['i2']);
  });

  test('of two wishes in a row the last counts', async () => {
    const room = await joined(`open=hosts&${moderator}`);
    const first = makeInvitation(room);
    wish.value = { knock: true };
    await Promise.all([first, makeInvitation(room)]);
    expect(making.value).toMatchObject({ kind: 'ready', invitation: { knock: true } });
    expect(room.list.invitations).toHaveLength(1);
  });

  test('revoked: one, or all', async () => {
    const room = await joined(`open=hosts&links=3&${moderator}`);
    await makeInvitation(room);
    await revoke(room, 'old1');
    expect(links.value.map((i) => i.id)).toEqual(['old0', 'old2', 'i1']);
    expect(making.value.kind).toBe('ready');
    await revoke(room);
    expect([links.value, making.value.kind]).toEqual([[], 'making']);
  });

  test('a room that has too many links says so', async () => {
    const room = await joined(`open=hosts&invitefail=too_many_invitations&${moderator}`);
    await makeInvitation(room);
    expect(making.value).toMatchObject({ kind: 'failed', code: 'too_many_invitations' });
  });

  test('the secret is in the fragment', () =>
    expect(invitationLink('a~b', { invite: 'AQ_-' })).toBe('https://call.example/r/a~b#invite=AQ_-'));

  test('a guest is never offered more than one may', () => {
    const speaks = ['publish', 'subscribe', 'message', 'watch'];
    expect(guestChoices(new Set(speaks), speaks).map((c) => c.label)).toEqual([
      'Speak, show and chat',
      'Listen, watch and chat',
      'Listen and watch',
    ]);
    expect(guestChoices(new Set(['subscribe', 'watch', 'invite']), undefined).map((c) => c.label)).toEqual([
      'Listen and watch',
    ]);
    const odd = guestChoices(new Set(speaks), ['publish', 'watch']);
    expect(odd.map((c) => c.label)).toContain('Speak and show');
    expect(chosen(odd, ['publish', 'watch', 'moderate'])).toBe('publish watch');
    expect(guestMay([])).toBe('only be there');
    expect(guestMay(['publish', 'message', 'moderate'])).toBe('speak, show, chat and moderate');
  });

  test('how long: what the server chose is among the choices', () => {
    expect(lifeChoices(86_390)).toEqual([3600, 86_400, 604_800]);
    expect(lifeChoices(7200)).toEqual([3600, 7200, 86_400, 604_800]);
    expect(lifeOf([3600, 86_400], 86_390)).toBe(86_400);
  });
});

describe('endings', () => {
  const words = (code: string, joined = true) => endingWords({ code, message: '', joined });

  test('no button that only fails', () => {
    expect(words('banned', false).action).toBeUndefined();
    expect(words('removed').action).toBeUndefined();
    expect(words('room_locked', false)).toMatchObject({ action: 'knock', label: 'Ask to be let in' });
    expect(words('declined', false)).toMatchObject({ action: 'knock', label: 'Ask again' });
    expect(words('moved')).toMatchObject({ action: 'back', label: 'Bring it back' });
    expect(words('token_expired')).toMatchObject({ action: 'again', label: 'Try again' });
    expect(words('timeout')).toMatchObject({ action: 'again', label: 'Join again' });
  });
});

describe('another tab', () => {
  // Channels of one browser: what one says, all others hear.
  function browser(): () => Channel {
    const all = new Set<Channel>();
    return () => {
      const mine: Channel = {
        onmessage: null,
        postMessage(word) {
          for (const c of all) if (c !== mine) queueMicrotask(() => c.onmessage?.({ data: word }));
        },
        close: () => void all.delete(mine),
      };
      all.add(mine);
      return mine;
    };
  }

  test('is asked for by room, gives the call away, and is gone then', async () => {
    const open = browser();
    const [one, two] = [new Tabs(open), new Tabs(open)];
    const left = vi.fn();
    const end = one.hold('standup', {
      token: () => 'mine',
      leave: () => {
        left();
        end();
      },
    });
    const ask = async (room: string) => {
      const answer = two.other(room);
      await vi.advanceTimersByTimeAsync(1000);
      return answer;
    };
    expect([await ask('standup'), await ask('other')]).toEqual([{ token: 'mine' }, undefined]);
    await two.take('standup');
    expect(left).toHaveBeenCalledOnce();
    expect(await ask('standup')).toBeUndefined();
  });

  test('where tabs cannot talk, nobody waits', async () => {
    const alone = new Tabs(() => undefined);
    expect(await alone.other('standup')).toBeUndefined();
  });

  test('the call that is moved away ends with where it is', async () => {
    const open = browser();
    useTabs(new Tabs(open));
    await joined('people=2');
    const other = new Tabs(open).take('standup');
    await vi.advanceTimersByTimeAsync(10);
    await other;
    expect(call.ending.value?.code).toBe('moved');
  });

  test('so does the waiting that is moved away', async () => {
    const open = browser();
    useTabs(new Tabs(open));
    backed('waits=moderator');
    const done = join();
    await vi.advanceTimersByTimeAsync(10);
    const other = new Tabs(open).take('standup');
    await vi.advanceTimersByTimeAsync(10);
    await Promise.all([other, done]);
    expect([call.phase.value, call.ending.value?.code]).toEqual(['over', 'moved']);
  });
});
