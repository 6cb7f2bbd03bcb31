import { describe, expect, it } from 'vitest';
import { Joining } from '../src/joining';

function setUp(token: () => Promise<string>) {
  const log: string[] = [];
  const media = {
    begin: () => void log.push('begin'),
    need: (slots: number) => void log.push(`need ${slots}`),
    offer: async () => {
      log.push('offer');
      return { sdp: '', send: [], slots: [] };
    },
  };
  const joining = new Joining({ room: 'r', name: 'Ann' }, media, token, async () => 4);
  return { joining, log };
}

describe('Joining', () => {
  it('offers for the latest of several joins alone, however long their tokens take', async () => {
    const tokens: ((token: string) => void)[] = [];
    const { joining, log } = setUp(() => new Promise((resolve) => tokens.push(resolve)));
    const first = joining.fields();
    const second = joining.fields();
    tokens[1]?.('new');
    await expect(second).resolves.toMatchObject({ token: 'new' });
    tokens[0]?.('old');
    await expect(first).rejects.toMatchObject({ code: 'closed' });
    expect(log).toEqual(['begin', 'need 4', 'offer']);
  });

  it('joins again with what was changed since', async () => {
    const { joining } = setUp(async () => 't');
    await expect(joining.fields()).resolves.toMatchObject({ name: 'Ann', token: 't' });
    joining.changed({ name: 'Anna' });
    joining.changed({ metadata: { hand: true } });
    await expect(joining.fields()).resolves.toMatchObject({ name: 'Anna', metadata: { hand: true } });
  });
});
