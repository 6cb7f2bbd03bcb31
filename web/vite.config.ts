import { fileURLToPath } from 'node:url';
import preact from '@preact/preset-vite';
import { defineConfig } from 'vite';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const server = process.env.PARLEY_URL ?? 'http://localhost:8080';

// The application: app/ to dist/. The SDK is built before it (vite.sdk.config.ts), into dist/sdk/.
export default defineConfig({
  root: here('./app'),
  base: '/',
  plugins: [preact()],
  resolve: { alias: { 'parley-sdk': here('./sdk/src/index.ts') } },
  worker: { format: 'es' },
  build: {
    outDir: here('./dist'),
    emptyOutDir: false,
    target: 'es2022',
    sourcemap: false,
    assetsInlineLimit: 0, // data: URLs are not in the content security policy
    modulePreload: { polyfill: false }, // every browser that speaks WebRTC as we need it preloads modules
    reportCompressedSize: false,
  },
  server: {
    host: '127.0.0.1',
    port: 21600,
    strictPort: true,
    // The server checks the Origin: let it see its own.
    proxy: { '/v1': { target: server, ws: true, changeOrigin: true, headers: { origin: server } } },
  },
});
