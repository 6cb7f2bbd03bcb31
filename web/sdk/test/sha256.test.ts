import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Sha256 } from '../src/files/sha256';

const bytes = (text: string) => new TextEncoder().encode(text);

describe('Sha256', () => {
  // FIPS 180-4 examples.
  it.each([
    ['', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
    ['abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
    [
      'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq',
      '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
    ],
  ])('digests %j', (text, want) => {
    expect(new Sha256().update(bytes(text)).digest()).toBe(want);
  });

  it('does not care how the data is cut, at any length around the block size', () => {
    const data = Uint8Array.from({ length: 300 }, (_, i) => (i * 7 + 3) & 255);
    for (let length = 0; length <= data.length; length++) {
      const hash = new Sha256();
      for (let at = 0, step = 1; at < length; at += step, step = ((step * 5) % 97) + 1) {
        hash.update(data.subarray(at, Math.min(length, at + step)));
      }
      expect(hash.digest()).toBe(createHash('sha256').update(data.subarray(0, length)).digest('hex'));
    }
  });

  it('digests a million bytes in unaligned pieces', () => {
    const data = new Uint8Array(1_000_003).fill(97);
    const hash = new Sha256();
    for (let at = 0; at < data.length; at += 65_537) hash.update(data.subarray(at, at + 65_537));
    expect(hash.digest()).toBe(createHash('sha256').update(data).digest('hex'));
  });

  it('counts bits beyond 32', () => {
    const hash = new Sha256();
    const reference = createHash('sha256');
    const block = new Uint8Array(8 << 20);
    for (let i = 0; i < 65; i++) {
      hash.update(block); // 520 MiB: more than 2^32 bits
      reference.update(block);
    }
    expect(hash.digest()).toBe(reference.digest('hex'));
  }, 240_000);
});
