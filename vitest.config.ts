import { defineConfig } from 'vitest/config'

const shared = { pool: 'forks' as const, testTimeout: 60_000, hookTimeout: 60_000 }
const heavy = [
  'test/crash/**/*.test.ts',
  'test/heavy/**/*.test.ts',
  'test/scenarios/example-orders.test.ts',
  'src/engine/flow/crash.test.ts',
  'src/engine/postgres/embedded.test.ts',
]

/** `fast` is what script/test runs; `heavy` (crash sweeps, what needs minutes) is added by --all. */
export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      {
        test: {
          ...shared,
          name: 'fast',
          include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'script/**/*.test.ts'],
          exclude: ['**/node_modules/**', ...heavy],
        },
      },
      {
        test: {
          ...shared,
          name: 'heavy',
          include: heavy,
          testTimeout: 900_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
})
