import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { buildProgram } from '../src/cli/program.ts'

/** Documents state what is true now: a path or a command that they name has to be there. */
const root = resolve(import.meta.dirname, '..')
const documents = [
  'README.md',
  'ARCHITECTURE.md',
  'AGENTS.md',
  ...globSync('docs/**/*.md', { cwd: root }),
  ...globSync('src/**/README.md', { cwd: root }),
]
const text = (document: string): string => readFileSync(join(root, document), 'utf8')

/** Folders of this repository that a path in backticks can start with; other words are not about files. */
const ours = /^(?:src|script|docs|test|bench|examples|bin)\//
const rooms =
  /^(?:domain|ports|process|engine|delegate|review|own|workflows|gates|adapters|contract|http|cli|wiring)\/[\w./-]+$/

const { commands } = buildProgram(() => Promise.resolve(), '0')
const known = new Set(commands.map((command) => command.name()))

describe.each(documents)('%s', (document) => {
  test('names only files that are there', () => {
    const code = [...text(document).matchAll(/`([^`\n]+)`/g)].map(([, inside = '']) =>
      inside.replace(/[:*].*$/, '').replace(/\/?\*+.*$/, ''),
    )
    const links = [...text(document).matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)].map(([, target = '']) =>
      normalize(join(dirname(document), target)),
    )
    const named = [
      ...code.filter((path) => ours.test(path)),
      ...code.filter((path) => rooms.test(path)).map((path) => `src/${path}`),
      ...links,
    ]
    const missing = named
      .map((path) => path.split(' ')[0] ?? '')
      .filter((path) => !/[<>{}$]/.test(path) && !existsSync(join(root, path)))
    expect(missing).toEqual([])
  })

  test('names only commands that there are', () => {
    const named = [...text(document).matchAll(/(?:^|`|\$ )gaffer ([a-z][a-z-]*)/gm)].map(([, name = '']) => name)
    expect(named.filter((name) => !known.has(name))).toEqual([])
  })
})
