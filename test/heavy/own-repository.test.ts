import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { startSite } from '../deliveries.ts'

/** Gaffer delivers a small change into a clone of its own repository, judged by its own tests and types. */
test('Gaffer changes itself, through its own chain', async () => {
  const root = resolve(import.meta.dirname, '..', '..')
  const examples = join(root, 'examples')
  const session = join(examples, 'sessions', 'gaffer-self.yaml')
  await using site = await startSite()
  const from = { repository: root, settings: join(examples, 'gaffer-self.gaffer.yaml'), session }
  const delivery = await site.delivery({ turns: [], from, patienceMs: 600_000 })
  const id = await delivery.delegate({ text: readFileSync(join(examples, 'briefs', 'gaffer-self.md'), 'utf8') })
  await delivery.reviewAndSign(id)
  await delivery.untilState(id, 'landed')
  expect(await delivery.repository.text('main', 'src/domain/say-duration.ts')).toContain('sayDuration')
  expect(await delivery.verify()).toMatchObject({ ok: true, commits: [{ status: 'attested', task: id }] })
})
