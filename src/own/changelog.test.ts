import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { taskId } from '../domain/ids.ts'
import { addChangelogEntry, type ChangelogEntry } from './changelog.ts'

const entry = (more: Partial<ChangelogEntry> = {}): ChangelogEntry => ({
  task: taskId('orders-endpoint-7k2'),
  type: 'feat',
  title: 'Read one order',
  ...more,
})
const bullet = '- Read one order (orders-endpoint-7k2)'

describe('a changelog entry', () => {
  it('makes the file when there is none', () => {
    expect(addChangelogEntry(undefined, entry())).toMatch(
      /^# Changelog\n\n.*\n\n## \[Unreleased\]\n\n### Added\n\n- Read one order \(orders-endpoint-7k2\)\n$/,
    )
  })

  it('joins the list it belongs to, after what is there', () => {
    const text = '# C\n\n## [Unreleased]\n\n### Added\n\n- One\n  more of one\n\n### Fixed\n\n- Two\n\n## [1.0.0]\n'
    expect(addChangelogEntry(text, entry())).toBe(text.replace('more of one\n', `more of one\n${bullet}\n`))
  })

  it.each([
    ['feat', 'Added'],
    ['fix', 'Fixed'],
    ['perf', 'Changed'],
    ['refactor', 'Changed'],
    ['chore', 'Changed'],
  ] as const)('of type %s stands under %s', (type, heading) => {
    expect(addChangelogEntry(undefined, entry({ type, title: 'Close a security hole' }))).toContain(`### ${heading}\n`)
  })

  it('gets a heading in the order of Keep a Changelog', () => {
    const text = '## [Unreleased]\n\n### Added\n\n- One\n\n### Fixed\n\n- Two\n\n## [1.0.0]\n'
    expect(addChangelogEntry(text, entry({ type: 'perf' }))).toBe(
      text.replace('### Fixed', `### Changed\n\n${bullet}\n\n### Fixed`),
    )
    expect(addChangelogEntry('## [Unreleased]\n\n### Added\n\n- One\n', entry({ type: 'fix' }))).toBe(
      `## [Unreleased]\n\n### Added\n\n- One\n\n### Fixed\n\n${bullet}\n`,
    )
  })

  it('gets a section above the newest version, and above link references', () => {
    expect(addChangelogEntry('# C\n\n## [1.0.0]\n\n- Old\n', entry())).toBe(
      `# C\n\n## [Unreleased]\n\n### Added\n\n${bullet}\n\n## [1.0.0]\n\n- Old\n`,
    )
    expect(addChangelogEntry('# C\n\n## [Unreleased]\n\n[unreleased]: https://example.com\n', entry())).toBe(
      `# C\n\n## [Unreleased]\n\n### Added\n\n${bullet}\n\n[unreleased]: https://example.com\n`,
    )
  })

  it('does not take an example in a code fence for a section', () => {
    const text = '# C\n\n```\n## [Unreleased]\n```\n\n## [1.0.0]\n'
    expect(addChangelogEntry(text, entry())).toContain('```\n\n## [Unreleased]\n\n### Added\n')
  })

  it('keeps Windows line ends, and a last line that has none', () => {
    const text = '# C\r\n\r\n## [Unreleased]\r\n\r\n### Added\r\n\r\n- One'
    expect(addChangelogEntry(text, entry())).toBe(`${text}\r\n${bullet}\r\n`)
  })

  it('says a title of several lines on one', () => {
    expect(addChangelogEntry(undefined, entry({ title: ' Read\n\n## one ' }))).toContain('- Read ## one (')
  })

  const piece = fc.oneof(
    fc.constantFrom(
      '# Changelog',
      '## [Unreleased]',
      '## Unreleased',
      '## [1.0.0] - 2026-01-01',
      '### Added',
      '### Fixed',
      '### Security',
      '### Odd',
      '- entry',
      '  more',
      '```',
      '~~~~',
      '[unreleased]: https://example.com',
      '',
      '  ',
    ),
    fc.string(),
  )
  const changelogs = fc
    .tuple(fc.array(fc.tuple(piece, fc.constantFrom('\n', '\r\n')), { maxLength: 20 }), fc.constantFrom('', '- last'))
    .map(([lines, last]) => lines.map(([line, eol]) => line + eol).join('') + last)
  const entries = fc.record({
    task: fc.constantFrom(taskId('orders-endpoint-7k2'), taskId('a-b')),
    type: fc.constantFrom('feat', 'fix', 'perf', 'docs'),
    title: fc.string({ minLength: 1 }),
  }) as fc.Arbitrary<ChangelogEntry>

  it('is one insertion: everything else stays byte for byte', () => {
    fc.assert(
      fc.property(changelogs, entries, (text, added) => {
        fc.pre(text.trim() !== '')
        const result = addChangelogEntry(text, added)
        let start = 0
        while (start < text.length && text[start] === result[start]) start += 1
        expect(result.endsWith(text.slice(start))).toBe(true)
        expect(result.length).toBeGreaterThan(text.length)
      }),
      { numRuns: 2_000 },
    )
  })

  it('is added once: doing it again changes nothing, whatever came after it', () => {
    fc.assert(
      fc.property(changelogs, entries, entries, (text, first, second) => {
        const once = addChangelogEntry(text, first)
        expect(addChangelogEntry(once, first)).toBe(once)
        const both = addChangelogEntry(once, second)
        expect(addChangelogEntry(both, first)).toBe(both)
      }),
      { numRuns: 2_000 },
    )
  })

  it('stands in the unreleased section, under its heading', () => {
    fc.assert(
      fc.property(changelogs, entries, (text, added) => {
        fc.pre(!/[`~]{3}/.test(text) && !/\([a-z0-9-]+\)/.test(text) && !/[`~]{3}/.test(added.title))
        const lines = addChangelogEntry(text, added).split(/\r?\n/)
        const at = lines.findLastIndex((line) => line.endsWith(`(${added.task})`))
        expect(lines.slice(0, at).findLast((line) => /^##\s/.test(line))).toMatch(/unreleased/i)
        const heading = { feat: 'Added', fix: 'Fixed', perf: 'Changed', docs: 'Changed' }[added.type as 'feat']
        expect(lines.slice(0, at).findLast((line) => /^###\s/.test(line))).toMatch(new RegExp(heading, 'i'))
      }),
      { numRuns: 2_000 },
    )
  })
})
