import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkBrief } from './check-brief.ts'
import { briefLimitBytes, readBrief } from './read-brief.ts'

const good = `---
title: Orders can be fetched
owner: owner@example.com
feature: orders
scope: [src/**, test/**]
budget: { usd: 2.5 }
---
# Orders can be fetched

## Outcome
GET /orders/:id answers with the order.

## Context
The store is in \`src/store.ts\`.

## Acceptance
- answers 404 for an unknown id (test: test/orders.test.ts > unknown id)
- answers 400 for a malformed id

## Failure modes
- the database is slow

## Never
- dependency: *
- path: src/billing/**
- log a customer's name

## Exemplars
- src/products.ts
`

const errors = (text: string) => readBrief(text).problems.filter(({ level }) => level === 'error')

describe('reading a brief', () => {
  test('takes every field and section', () => {
    const read = readBrief(good)
    if (read.kind === 'unreadable') throw new Error(JSON.stringify(read.problems))
    expect(read.brief).toMatchObject({
      title: 'Orders can be fetched',
      type: 'feat',
      owner: 'owner@example.com',
      feature: 'orders',
      scope: ['src/**', 'test/**'],
      budget: { costUsd: 2.5, tokens: null },
      outcome: 'GET /orders/:id answers with the order.',
      acceptance: [
        { id: 'A1', text: 'answers 404 for an unknown id', line: 17, test: 'test/orders.test.ts > unknown id' },
        { id: 'A2', text: 'answers 400 for a malformed id', line: 18, test: null },
      ],
      never: [
        { kind: 'dependency', name: '*', line: 24 },
        { kind: 'path', glob: 'src/billing/**' },
        { kind: 'statement', text: "log a customer's name" },
      ],
    })
  })

  test.each([
    ['no owner', good.replace('owner: owner@example.com\n', ''), 'missing-owner', 1],
    ['an owner that is no address', good.replace('owner@example.com', 'nobody'), 'bad-owner', 3],
    ['an unknown field', good.replace('feature: orders', 'featur: orders'), 'unknown-field', 4],
    ['an unknown section', good.replace('## Context', '## Contxt'), 'unknown-section', 13],
    ['no outcome', good.replace('## Outcome\nGET /orders/:id answers with the order.\n', ''), 'missing-outcome', null],
    ['no acceptance', good.replace(/## Acceptance\n(?:- .*\n)+/, '## Acceptance\n'), 'missing-acceptance', 16],
    ['a section twice', `${good}\n## Outcome\nagain\n`, 'section-twice', 31],
    ['no front matter', good.slice(good.indexOf('# Orders')), 'no-front-matter', 1],
    ['front matter that is not closed', good.replace('\n---\n#', '\n#'), 'no-front-matter', 1],
    ['front matter that is not YAML', good.replace('feature: orders', 'feature: [orders'), 'front-matter', 5],
  ])('names %s, with its line', (_, text, rule, line) => {
    expect(errors(text)).toContainEqual(expect.objectContaining({ rule, line }))
  })

  test('refuses an enormous or a binary file without reading on', () => {
    expect(errors('x'.repeat(briefLimitBytes + 1))).toMatchObject([{ rule: 'too-large' }])
    expect(errors('\u0000PNG')).toMatchObject([{ rule: 'not-text' }])
  })

  test('is not fooled by headings and bullets in code', () => {
    const text = good.replace('The store is in', '```md\n## Never\n- nothing\n```\nThe store is in')
    expect(errors(text)).toEqual([])
  })

  test('answers to anything at all with a brief or with errors', () => {
    const pieces = fc.constantFrom(
      '---\n',
      'title: x\n',
      'owner: a@b\n',
      '## Outcome\n',
      '## Acceptance\n',
      '- a (test: b)\n',
      'x: &a [*a]\n',
      '\r\n',
      '```\n',
      '>',
    )
    const text = fc.oneof(
      fc.string(),
      fc.array(fc.oneof(pieces, fc.string()), { maxLength: 30 }).map((all) => all.join('')),
    )
    fc.assert(
      fc.property(text, (anything) => {
        const read = readBrief(anything)
        const hasErrors = read.problems.some(({ level }) => level === 'error')
        const isWhole = read.kind === 'read' && read.brief.acceptance.length > 0
        expect(hasErrors).toBe(!isWhole)
      }),
      { numRuns: 1_000 },
    )
  })
})

describe('checking a brief', () => {
  const check = (text: string, around = {}) => {
    const read = readBrief(text)
    if (read.kind === 'unreadable') throw new Error(JSON.stringify(read.problems))
    return checkBrief(read.brief, text, around)
  }

  test('says which acceptance has no test', () => {
    expect(check(good)).toMatchObject([{ level: 'warning', rule: 'undefined-behaviour', line: 18 }])
  })

  test('warns where failure modes and negative constraints are missing', () => {
    const bare = good.slice(0, good.indexOf('## Failure modes'))
    expect(check(bare).map(({ rule }) => rule)).toEqual(
      expect.arrayContaining(['no-failure-modes', 'no-negative-constraints']),
    )
  })

  test.each(['dependancy: *', 'dependency', 'path: ../x', 'scope: src/billing/**', 'path: !src'])(
    'does not let %j pass for a guard',
    (never) => {
      const problems = check(good.replace('dependency: *', never))
      expect(problems.filter(({ level, line }) => level === 'error' && line === 24)).toHaveLength(1)
    },
  )

  test('finds vague words with their place, and leaves code alone', () => {
    const vague = good.replace('the database is slow', 'errors are handled gracefully, in `a fast path`')
    expect(check(vague)).toContainEqual(
      expect.objectContaining({ rule: 'vague', line: 21, message: expect.stringContaining('"gracefully"') }),
    )
    expect(check(vague).filter(({ message }) => message.includes('"fast"'))).toEqual([])
  })

  test('refuses a scope that matches nothing, an owner who cannot sign and an agent nobody declared', () => {
    const around = { files: ['src/a.ts', 'docs/x.md'], canSign: () => false, agents: ['codex'] }
    const problems = check(good.replace('feature: orders', 'feature: orders\nagent: replay'), around)
    expect(problems.filter(({ level }) => level === 'error').map(({ rule, line }) => [rule, line])).toEqual([
      ['owner-cannot-sign', 3],
      ['unknown-agent', 5],
      ['scope-matches-nothing', 6],
    ])
  })

  test('lets a scope name a file that is yet to be made in a folder that is there', () => {
    const text = good.replace('scope: [src/**, test/**]', 'scope: [src/new.ts]')
    expect(check(text, { files: ['src/a.ts'] }).map(({ rule }) => rule)).not.toContain('scope-matches-nothing')
  })
})
