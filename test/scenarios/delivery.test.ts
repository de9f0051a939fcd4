import { expect, test } from 'vitest'
import { answers, builds, plans, startDelivery } from '../deliveries.ts'

test('a brief becomes a signed, landed change', async () => {
  await using delivery = await startDelivery({ turns: [plans('one', 'two'), builds('one'), builds('two'), answers] })
  const before = await delivery.repository.head('main')
  const id = await delivery.delegate()
  await delivery.reviewAndSign(id)
  const landed = await delivery.until(id, (task) => task.state === 'landed' || task.state === 'blocked')
  expect(landed.state).toBe('landed')
  expect(await delivery.repository.head('main~1')).toBe(before)
  expect(await delivery.repository.text('main', 'src/two.txt')).toBe('two\n')
  expect(await delivery.repository.text('main', 'CHANGELOG.md')).toContain('A small change')
  expect(await delivery.repository.text('main', 'PLAN.md')).toBeUndefined()
  expect(await delivery.repository.git('status', '--porcelain')).toBe('')
})
