import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { renderSettings } from './settings-reference.ts'

test('docs/gaffer-yaml.md is what script/docs writes', () => {
  expect(readFileSync(resolve(import.meta.dirname, '..', 'docs', 'gaffer-yaml.md'), 'utf8')).toBe(renderSettings())
})
