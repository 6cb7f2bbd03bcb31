// Leaves only those type declarations of the SDK that its users meet, and names their entry parley.d.ts.
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../dist/sdk/types', import.meta.url));
const reached = new Set();

function visit(file) {
  if (reached.has(file) || !existsSync(file)) return;
  reached.add(file);
  for (const [, path] of readFileSync(file, 'utf8').matchAll(/(?:from|import\() ?['"](\.[^'"]+)['"]/g)) {
    visit(resolve(dirname(file), `${path}.d.ts`));
  }
}

visit(join(root, 'index.d.ts'));
for (const entry of readdirSync(root, { recursive: true })) {
  const path = join(root, String(entry));
  if (path.endsWith('.d.ts') && !reached.has(path)) rmSync(path);
}
writeFileSync(join(root, '../parley.d.ts'), "export * from './types/index';\n");
