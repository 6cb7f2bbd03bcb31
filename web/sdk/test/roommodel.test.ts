import { describe, expect, it } from 'vitest';
import { Emitter } from '../src/emitter';
import type { RoomEvent } from '../src/protocol';
import { type ModelEvents, RoomModel } from '../src/roommodel';

function model() {
  const out = new Emitter<ModelEvents>();
  const log: string[] = [];
  out.on('joined', (p) => log.push(`joined ${p.id}`));
  out.on('left', ({ participant, reason }) => log.push(`left ${participant.id} ${reason}`));
  out.on('published', ({ participant, source }) => log.push(`published ${participant.id} ${source.kind}`));
  out.on('unpublished', ({ participant, source }) => log.push(`unpublished ${participant.id} ${source.kind}`));
  out.on('updated', (p) => log.push(`updated ${p.name}`));
  out.on('speaking', (ids) => log.push(`speaking ${ids.join(',')}`));
  out.on('locked', (locked) => log.push(`locked ${locked}`));
  out.on('reset', () => log.push('reset'));
  const m = new RoomModel(out);
  m.replace({ room: 'r', position: 'e1.1', participants: [{ id: 'a', name: 'Ann', sources: [] }] }, false);
  const apply = (event: RoomEvent) => m.advance(event.position) && m.apply(event);
  return { m, log, apply };
}

describe('RoomModel', () => {
  it('follows events', () => {
    const { m, log, apply } = model();
    apply({ type: 'joined', position: 'e1.2', participant: { id: 'b', name: 'Bob' } });
    apply({
      type: 'published',
      position: 'e1.3',
      participant: 'b',
      source: { id: 'b.camera', kind: 'camera', muted: false },
    });
    apply({ type: 'speaking', position: 'e1.4', participants: ['b'] });
    expect(m.participants.get('b')?.live('camera')).toBe(true);
    apply({
      type: 'updated',
      position: 'e1.6',
      participant: { id: 'b', name: 'Bobby', sources: [{ id: 'b.camera', kind: 'camera', muted: true }] },
    });
    expect(m.participants.get('b')?.live('camera')).toBe(false);
    expect(m.participants.get('b')?.has('camera')).toBe(true);
    apply({ type: 'unpublished', position: 'e1.7', participant: 'b', source: 'b.camera' });
    apply({ type: 'room', position: 'e1.8', locked: true });
    apply({ type: 'left', position: 'e1.9', participant: 'b', reason: 'timeout' });
    expect(log).toEqual([
      'joined b',
      'published b camera',
      'speaking b',
      'updated Bobby',
      'unpublished b camera',
      'locked true',
      'speaking ',
      'left b timeout',
    ]);
    expect([...m.participants.keys()]).toEqual(['a']);
    expect(m.locked).toBe(true);
  });

  it('ignores what was seen', () => {
    const { m, log, apply } = model();
    apply({ type: 'joined', position: 'e1.5', participant: { id: 'b' } });
    apply({ type: 'left', position: 'e1.4', participant: 'a' });
    apply({ type: 'joined', position: 'e1.5', participant: { id: 'c' } });
    expect(log).toEqual(['joined b']);
    expect([...m.participants.keys()]).toEqual(['a', 'b']);
  });

  it('takes positions as numbers, and another epoch as news', () => {
    const { m, apply } = model();
    apply({ type: 'joined', position: 'e1.9', participant: { id: 'b' } });
    apply({ type: 'joined', position: 'e1.10', participant: { id: 'c' } });
    apply({ type: 'joined', position: 'e2.1', participant: { id: 'd' } });
    expect([...m.participants.keys()]).toEqual(['a', 'b', 'c', 'd']);
  });

  it('ignores events about strangers', () => {
    const { log, apply } = model();
    apply({ type: 'left', position: 'e1.2', participant: 'x' });
    apply({ type: 'unpublished', position: 'e1.3', participant: 'a', source: 'a.camera' });
    apply({ type: 'updated', position: 'e1.4', participant: { id: 'x' } });
    apply({
      type: 'published',
      position: 'e1.5',
      participant: 'x',
      source: { id: 'x.camera', kind: 'camera', muted: false },
    });
    expect(log).toEqual([]);
  });

  it('replaces everything by a snapshot', () => {
    const { m, log } = model();
    m.speaking = ['a', 'z'];
    m.replace({ room: 'r', position: 'e9.1', locked: true, participants: [{ id: 'z' }] }, true);
    expect(log).toEqual(['reset']);
    expect([...m.participants.keys()]).toEqual(['z']);
    expect(m.speaking).toEqual(['z']);
    expect(m.position).toBe('e9.1');
  });

  it('makes a new participant for each change', () => {
    const { m, apply } = model();
    const before = m.participants.get('a');
    apply({
      type: 'published',
      position: 'e1.2',
      participant: 'a',
      source: { id: 'a.screen', kind: 'screen', muted: false },
    });
    expect(m.participants.get('a')).not.toBe(before);
    expect(before?.sources).toEqual([]);
  });

  it('knows who is away, until they are back', () => {
    const { m, apply } = model();
    const a = () => m.participants.get('a');
    expect([a()?.away, a()?.awaySince]).toEqual([false, undefined]);
    const away_since = '2026-11-30T12:00:00.000Z';
    apply({ type: 'updated', position: 'e1.2', participant: { id: 'a', name: 'Ann', away: true, away_since } });
    expect([a()?.away, a()?.awaySince]).toEqual([true, new Date(away_since)]);
    apply({ type: 'published', position: 'e1.3', participant: 'a', source: { id: 's', kind: 'camera', muted: false } });
    m.grade({ a: 2 });
    expect(a()).toMatchObject({ away: true, awaySince: new Date(away_since), quality: 2 });
    expect(m.snapshot()?.participants?.[0]).toMatchObject({ id: 'a', away: true, away_since });
    apply({ type: 'updated', position: 'e1.4', participant: { id: 'a', name: 'Ann' } });
    expect(a()).toMatchObject({ away: false, awaySince: undefined });
    expect(m.snapshot()?.participants?.[0]).not.toHaveProperty('away');
  });
});
