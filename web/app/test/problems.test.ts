import { describe, expect, test } from 'vitest';
import { CLOSE_CODES, SERVER_ERRORS } from '../../sdk/src/errors';
import { allowAgain, deviceProblem, problem, problemCodes } from '../src/text/problems';

// Codes that only a bug in our own client can bring about: they get the general words.
const ours = ['bad_message', 'unknown_type', 'not_joined', 'already_joined', 'bad_offer', 'no_media'];

describe('problems', () => {
  test.each(problemCodes)('%s has a title and says what to do', (code) => {
    const p = problem(code);
    expect(p.title).not.toBe('');
    expect(p.title).not.toMatch(/[.!]$/);
    if (code !== 'cancelled') expect(p.advice).toMatch(/\.( \{allow\})?$|^\{allow\}/);
  });

  test.each([...new Set<string>([...SERVER_ERRORS, ...Object.values(CLOSE_CODES)])].filter((c) => !ours.includes(c)))(
    'the server’s %s has words of its own',
    (code) => expect(problem(code).title).not.toBe('Something went wrong'),
  );

  test('an unknown code shows its own message', () => {
    expect(problem('new_thing', 'Do this.').advice).toBe('Do this.');
    expect(problem('new_thing').advice).toContain('new_thing');
  });
});

describe('devices', () => {
  const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';
  const chrome = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36';
  const safari =
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile/15E148 Safari/604.1';

  test('the device is named', () => {
    for (const code of ['permission_denied', 'no_device', 'device_busy', 'device_gone']) {
      const p = deviceProblem(code, 'camera', chrome);
      expect(p.title).toContain('camera');
      expect(p.title + p.advice).not.toContain('{');
    }
  });

  test('each browser has its own way to allow it', () => {
    expect(new Set([firefox, chrome, safari, 'something'].map(allowAgain)).size).toBe(4);
    expect(deviceProblem('permission_denied', 'microphone', firefox).advice).toContain('crossed-out');
  });
});
