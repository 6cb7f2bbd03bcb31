import { describe, expect, test } from 'vitest';
import { actionFor, type KeyPress, keyOf, shortcuts, takesText } from '../src/text/keys';

const press = (key: string, over: Partial<KeyPress> = {}): KeyPress => ({
  key,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  repeat: false,
  busy: false,
  ...over,
});

describe('shortcuts', () => {
  test('no key does two things', () => {
    expect(new Set(shortcuts.map((s) => s.key)).size).toBe(shortcuts.length);
    expect(new Set(shortcuts.map((s) => s.action)).size).toBe(shortcuts.length);
  });

  test.each(shortcuts.map((s) => [s.key, s.action]))('%s: %s', (key, action) => {
    expect(actionFor(press(key), true)).toBe(action);
  });

  test('capitals count', () => expect(actionFor(press('M'), true)).toBe('microphone'));

  test.each(['ctrlKey', 'metaKey', 'altKey', 'repeat', 'busy'] as const)('not with %s', (field) => {
    expect(actionFor(press('m', { [field]: true }), true)).toBeUndefined();
  });

  test('switched off, only Escape is left', () => {
    expect(actionFor(press('m'), false)).toBeUndefined();
    expect(actionFor(press('Escape'), false)).toBe('back');
  });

  test('other keys do nothing', () => expect(actionFor(press('x'), true)).toBeUndefined());

  test('keyOf', () => expect(keyOf('chat')).toBe('c'));
});

describe('where one types', () => {
  const el = (tagName: string, type = '', isContentEditable = false) =>
    ({ tagName, type, isContentEditable }) as unknown as EventTarget;

  test.each([
    [el('TEXTAREA'), true],
    [el('SELECT'), true],
    [el('INPUT', 'text'), true],
    [el('INPUT', 'checkbox'), false],
    [el('BUTTON'), false],
    [el('DIV', '', true), true],
    [null, false],
  ])('%o', (target, want) => expect(takesText(target)).toBe(want));
});
