import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { LandingPredicate, SignOffPredicate, VerdictPredicate } from '../domain/evidence.ts'
import { commitSha, digest, email, taskId, treeSha } from '../domain/ids.ts'
import { canonicalJson, type Json } from '../domain/json.ts'
import { notApplicable, passed, unavailable, type Verdict } from '../domain/verdict.ts'
import {
  evidenceStatement,
  landingStatement,
  readEvidence,
  readLanding,
  readSignOff,
  signOffStatement,
} from './statements.ts'

const tree = treeSha('a'.repeat(40))
const some = digest(`sha256:${'b'.repeat(64)}`)
const commit = commitSha('c'.repeat(40))
const verdictOn = (verdict: Verdict): VerdictPredicate => ({
  task: taskId('a-b'),
  gate: 'tests',
  settings: some,
  base: commit,
  result: { gate: 'tests', verdict, durationMs: 1, cached: false },
  at: '2026-03-01T10:00:00.000Z',
})
const signOff: SignOffPredicate = {
  task: taskId('a-b'),
  title: 'T',
  owner: email('alice@example.com'),
  base: commit,
  candidate: commit,
  tree,
  brief: some,
  policy: some,
  evidence: [{ gate: 'tests', digest: some }],
}
const landing: LandingPredicate = {
  task: taskId('a-b'),
  owner: email('alice@example.com'),
  commit,
  tree,
  base: commit,
  candidate: commit,
  built: commit,
  merge: null,
  signOff: some,
  signature: some,
  text: some,
  evidence: [{ gate: 'tests', digest: some }],
}

describe('a statement', () => {
  it('of a gate that counts tests speaks the standard test-result predicate', () => {
    const text = evidenceStatement(tree, verdictOn(passed({ tests: 12 })))
    expect(JSON.parse(text)).toMatchObject({
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ name: 'tree', digest: { gitTree: tree } }],
      predicateType: 'https://in-toto.io/attestation/test-result/v0.1',
      predicate: { result: 'PASSED', configuration: [{ name: '.gaffer/gaffer.yaml#gates.tests' }] },
    })
    expect(readEvidence(text)).toEqual({ tree, predicate: verdictOn(passed({ tests: 12 })) })
  })

  it.each([
    passed(),
    notApplicable('nothing changed'),
    unavailable({ code: 'command-missing', message: 'm', hint: 'h', retryable: false }),
  ])('of any other verdict is read back as it was: $kind', (verdict) => {
    const text = evidenceStatement(tree, verdictOn(verdict))
    expect(JSON.parse(text)).toMatchObject({ predicateType: 'urn:gaffer:verdict:v1' })
    expect(readEvidence(text)).toEqual({ tree, predicate: verdictOn(verdict) })
  })

  it('whose standard result says other than its verdict is not read', () => {
    const text = evidenceStatement(tree, verdictOn(passed({ tests: 12 })))
    expect(readEvidence(text.replace('"PASSED"', '"FAILED"'))).toBeUndefined()
    expect(readEvidence(text.replace('b'.repeat(64), 'd'.repeat(64)))).toBeUndefined()
  })

  it('whose subject is another object than its predicate names is not read', () => {
    expect(readSignOff(signOffStatement(signOff))).toEqual(signOff)
    expect(readLanding(landingStatement(landing))).toEqual(landing)
    const other = `"gitCommit":"${'d'.repeat(40)}"`
    expect(readSignOff(signOffStatement(signOff).replace(/"gitCommit":"c+"/, other))).toBeUndefined()
    expect(readLanding(landingStatement(landing).replace(/"gitCommit":"c+"/, other))).toBeUndefined()
  })

  it('of one kind is not read as another', () => {
    const texts = [evidenceStatement(tree, verdictOn(passed())), signOffStatement(signOff), landingStatement(landing)]
    const readers = [readEvidence, readSignOff, readLanding]
    texts.forEach((text, kind) =>
      readers.forEach((read, reader) => expect(read(text) === undefined).toBe(kind !== reader)),
    )
  })

  it('of any text or JSON is read or not, never thrown at', () => {
    const valid = [
      evidenceStatement(tree, verdictOn(passed({ tests: 1 }))),
      signOffStatement(signOff),
      landingStatement(landing),
    ]
    const edited = fc
      .tuple(fc.constantFrom(...valid), fc.nat(), fc.string({ maxLength: 3 }))
      .map(([text, at, other]) => text.slice(0, at % text.length) + other + text.slice((at % text.length) + 1))
    const anything = fc.jsonValue().map((value) => canonicalJson(value as Json))
    fc.assert(
      fc.property(fc.oneof(fc.string(), anything, edited), (text) => {
        const read = [readEvidence, readSignOff, readLanding].some((reader) => reader(text) !== undefined)
        expect(!read || canonicalJson(JSON.parse(text)) === text).toBe(true)
      }),
      { numRuns: 2_000 },
    )
  })
})
