import { fileURLToPath } from 'node:url';
import preact from '@preact/preset-vite';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  plugins: [preact()],
  resolve: { alias: { 'parley-sdk': fileURLToPath(new URL('./sdk/src/index.ts', import.meta.url)) } },
  test: {
    environment: 'node',
    include: ['sdk/test/**/*.test.ts', 'app/**/*.test.{ts,tsx}'],
    testTimeout: 10_000,
  },
});
