import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

// The SDK as one ES module with two workers beside it: dist/sdk/parley.js, parley-worker.js and parley-clockworker.js. The
// relative base keeps the workers' address relative to the module, wherever it is served from.
export default defineConfig({
  base: './',
  publicDir: false,
  worker: {
    format: 'es',
    rolldownOptions: { output: { entryFileNames: 'parley-[name].js' } },
  },
  build: {
    outDir: here('./dist/sdk'),
    emptyOutDir: true,
    target: 'es2022',
    minify: true,
    sourcemap: false,
    reportCompressedSize: false,
    modulePreload: false,
    // A library's ES module keeps its white space unless told otherwise.
    rolldownOptions: { output: { minify: true } },
    lib: { entry: here('./sdk/src/index.ts'), formats: ['es'], fileName: () => 'parley.js' },
  },
});
