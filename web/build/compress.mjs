// Writes a brotli variant (.br) beside every text file of dist/ that shrinks by it. Brotli's output is the same on every
// processor, unlike that of Node's zlib; gzip is therefore left to the server, at the first request for it.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants } from 'node:zlib';

const dist = fileURLToPath(new URL('../dist', import.meta.url));
const text = /\.(html|js|mjs|css|svg|json|webmanifest|txt)$/;
const smallest = 860; // bytes; below it fits one packet anyway

for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true })) {
  const path = join(entry.parentPath ?? entry.path, entry.name);
  if (!entry.isFile() || !text.test(entry.name)) continue;
  const plain = readFileSync(path);
  const packed = brotliCompressSync(plain, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
      [constants.BROTLI_PARAM_LGWIN]: 22,
      [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
      [constants.BROTLI_PARAM_SIZE_HINT]: plain.length,
    },
  });
  if (plain.length >= smallest && packed.length < plain.length * 0.9) writeFileSync(`${path}.br`, packed);
  else rmSync(`${path}.br`, { force: true });
}
