// SHA-256 (FIPS 180-4) over data that comes piece by piece, which WebCrypto does not offer.

/** The first 32 bits of the fractional parts of the cube (or square) roots of the first `count` primes. */
function roots(count: number, exponent: number): Int32Array {
  const out = new Int32Array(count);
  for (let n = 2, found = 0; found < count; n++) {
    let prime = true;
    for (let d = 2; d * d <= n; d++) if (n % d === 0) prime = false;
    if (!prime) continue;
    const root = n ** exponent;
    out[found++] = ((root - Math.floor(root)) * 0x1_0000_0000) | 0;
  }
  return out;
}

const K = roots(64, 1 / 3);
const START = roots(8, 1 / 2);

export class Sha256 {
  readonly #state = Int32Array.from(START);
  readonly #schedule = new Int32Array(64);
  readonly #rest = new Uint8Array(64); // bytes that do not fill a block yet
  #restLength = 0;
  #length = 0; // bytes in all

  update(data: Uint8Array): this {
    this.#length += data.length;
    let at = 0;
    if (this.#restLength > 0) {
      at = Math.min(64 - this.#restLength, data.length);
      this.#rest.set(data.subarray(0, at), this.#restLength);
      this.#restLength += at;
      if (this.#restLength < 64) return this;
      this.#blocks(new DataView(this.#rest.buffer), 1);
      this.#restLength = 0;
    }
    const blocks = Math.floor((data.length - at) / 64);
    if (blocks > 0) this.#blocks(new DataView(data.buffer, data.byteOffset + at, blocks * 64), blocks);
    at += blocks * 64;
    this.#rest.set(data.subarray(at));
    this.#restLength = data.length - at;
    return this;
  }

  /** The digest in lower-case hexadecimal. Nothing may be added after it. */
  digest(): string {
    const bits = this.#length;
    const padding = new Uint8Array(this.#restLength < 56 ? 64 - this.#restLength : 128 - this.#restLength);
    padding[0] = 0x80;
    const view = new DataView(padding.buffer);
    view.setUint32(padding.length - 8, Math.floor(bits / 0x2000_0000));
    view.setUint32(padding.length - 4, (bits * 8) >>> 0);
    this.update(padding);
    return [...this.#state].map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('');
  }

  #blocks(data: DataView, count: number): void {
    const w = this.#schedule;
    const s = this.#state;
    let h0 = s[0]!,
      h1 = s[1]!,
      h2 = s[2]!,
      h3 = s[3]!,
      h4 = s[4]!,
      h5 = s[5]!,
      h6 = s[6]!,
      h7 = s[7]!;
    for (let block = 0; block < count; block++) {
      for (let i = 0; i < 16; i++) w[i] = data.getInt32(block * 64 + i * 4);
      for (let i = 16; i < 64; i++) {
        const x = w[i - 15]!;
        const y = w[i - 2]!;
        const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
        const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
        w[i] = (w[i - 16]! + s0 + w[i - 7]! + s1) | 0;
      }
      let a = h0,
        b = h1,
        c = h2,
        d = h3,
        e = h4,
        f = h5,
        g = h6,
        h = h7;
      for (let i = 0; i < 64; i++) {
        const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
        const t1 = (h + s1 + (g ^ (e & (f ^ g))) + K[i]! + w[i]!) | 0;
        const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
        const t2 = (s0 + ((a & b) | (c & (a | b)))) | 0;
        h = g;
        g = f;
        f = e;
        e = (d + t1) | 0;
        d = c;
        c = b;
        b = a;
        a = (t1 + t2) | 0;
      }
      h0 = (h0 + a) | 0;
      h1 = (h1 + b) | 0;
      h2 = (h2 + c) | 0;
      h3 = (h3 + d) | 0;
      h4 = (h4 + e) | 0;
      h5 = (h5 + f) | 0;
      h6 = (h6 + g) | 0;
      h7 = (h7 + h) | 0;
    }
    s.set([h0, h1, h2, h3, h4, h5, h6, h7]);
  }
}
