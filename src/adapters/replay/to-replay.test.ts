import fc from 'fast-check'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { SessionEntry } from '../../ports/agent.ts'
import { play, type Stage } from './play.ts'
import { parseSession } from './session-file.ts'
import { sessionOf, toReplay } from './to-replay.ts'

const entry: fc.Arbitrary<SessionEntry> = fc.oneof(
  fc.record({ kind: fc.constantFrom('said' as const, 'thought' as const), text: fc.string({ unit: 'binary' }) }),
  fc.record({
    kind: fc.constant('prompt' as const),
    text: fc.constantFrom('hello', '[gaffer] task=t-abc stage=build unit=a round=1\nGo.'),
  }),
  fc.constant<SessionEntry>({ kind: 'turn-ended', stop: 'end-turn' }),
  fc.constant<SessionEntry>({ kind: 'stderr', text: 'noise' }),
)
const change = fc.record({ path: fc.string({ minLength: 1 }), content: fc.option(fc.string({ unit: 'binary' })) })

test('a saved session is read again as the same steps', () => {
  fc.assert(
    fc.property(fc.array(entry), fc.array(fc.array(change, { maxLength: 3 }), { maxLength: 4 }), (entries, changes) => {
      expect(parseSession(toReplay(entries, changes), 'x')).toEqual(sessionOf(entries, changes, 'replay'))
    }),
  )
})

test('a turn becomes what was said and what changed, under its header', () => {
  const entries: readonly SessionEntry[] = [
    { kind: 'prompt', text: '[gaffer] task=t-abc stage=plan round=1\nPlan it.' },
    { kind: 'said', text: 'The ' },
    { kind: 'said', text: 'plan.' },
    { kind: 'turn-ended', stop: 'end-turn' },
    { kind: 'prompt', text: '[gaffer] task=t-abc stage=build unit=a round=1\nBuild it.' },
    { kind: 'thought', text: 'hm' },
    { kind: 'tool', id: '1', title: 'edit', status: 'completed', detail: null },
    { kind: 'said', text: 'Done.' },
  ]
  const changes = [
    [],
    [
      { path: 'a.ts', content: 'const a = 1\nconst b = 2\n' },
      { path: 'old/b.ts', content: null },
    ],
  ]
  expect(toReplay(entries, changes, 'some-model')).toBe(`version: 1
model: some-model
turns:
  - when: stage=plan round=1
    do:
      - say: The plan.
  - when: stage=build unit=a round=1
    do:
      - think: hm
      - say: Done.
      - delete: old/b.ts
      - write:
          path: a.ts
          content: |
            const a = 1
            const b = 2
`)
})

test('a folder that became a file is played as that', async () => {
  const workspace = await mkdtemp(join(tmpdir(), 'gaffer-replay-'))
  const { turns } = sessionOf(
    [
      { kind: 'prompt', text: 'one' },
      { kind: 'prompt', text: 'two' },
    ],
    [
      [{ path: 'a/b/c', content: 'deep' }],
      [
        { path: 'a', content: 'flat' },
        { path: 'a/b/c', content: null },
      ],
    ],
    'm',
  )
  for (const { steps } of turns) expect(await play(steps, stageIn(workspace))).toBe('end-turn')
  expect(await readFile(join(workspace, 'a'), 'utf8')).toBe('flat')
  await rm(workspace, { recursive: true })
})

const nothing = (): Promise<void> => Promise.resolve()
const stageIn = (workspace: string): Stage => ({
  workspace,
  cancelled: new AbortController().signal,
  say: (text) => Promise.reject(new Error(text)),
  think: nothing,
  tool: nothing,
  ask: () => Promise.resolve(false),
  run: () => Promise.resolve({ exitCode: 0, output: '' }),
  spawn: () => undefined,
  crash: () => Promise.reject(new Error('crash')),
  flood: nothing,
})
