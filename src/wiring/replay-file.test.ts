import { expect, test } from 'vitest'
import { parseSession } from '../adapters/replay/session-file.ts'
import { replayFileOf } from './replay-file.ts'

const changed = (files: readonly { path: string; content: string | null }[], omitted: readonly string[]) => ({
  kind: 'changed',
  files: [...files],
  omitted: [...omitted],
})

test('a saved replay writes the recorded files as they were, and names those that are not in the record', () => {
  const content = 'export interface Login { password: string }\n'
  const entries = [
    { kind: 'prompt', text: 'build it' },
    changed([{ path: 'src/login.ts', content }], ['logo.png', 'a\nb: [', 'logo.png']),
  ]
  const text = replayFileOf([{ name: 'session/x/build', entries }])
  expect(text).toMatch(/^# changed, and not in the record: "logo.png"\n# .*"a\\nb: \["\nversion: 1\n/)
  expect(parseSession(text, 'the file').turns[0]?.steps).toEqual([{ kind: 'write', path: 'src/login.ts', content }])
})
