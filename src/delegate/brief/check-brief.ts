import picomatch from 'picomatch'
import type { Brief, BriefProblem } from '../../domain/brief.ts'
import { isUsableGlob, pathMatcher, unusableGlob } from '../../domain/path-globs.ts'

/** What a brief is checked against; absent parts are not checked. */
export interface Surroundings {
  /** Every path of the tree the brief is about. */
  readonly files?: readonly string[]
  /** Whether `.gaffer/allowed_signers` names a person. */
  readonly canSign?: (email: string) => boolean
  /** Agents that gaffer.yaml declares. */
  readonly agents?: readonly string[]
}

/** Errors and weak spots of a brief that could be read, in order of line. Pure. */
export function checkBrief(
  brief: Brief,
  text: string,
  { files, canSign, agents }: Surroundings = {},
): readonly BriefProblem[] {
  return [
    ...(files === undefined ? [] : scopeProblems(brief, text, files)),
    ...neverProblems(brief, files),
    ...(canSign === undefined ? [] : signerProblems(brief, text, canSign)),
    ...(agents === undefined ? [] : agentProblems(brief, text, agents)),
    ...untestedAcceptance(brief),
    ...(brief.failureModes.length > 0
      ? []
      : [
          warning(
            null,
            'no-failure-modes',
            'names no failure modes: what happens when input is malformed, a dependency is slow, or two people do it at once?',
          ),
        ]),
    ...(brief.never.length > 0
      ? []
      : [
          warning(
            null,
            'no-negative-constraints',
            'says nothing that must never happen: `- dependency: *` or `- path: src/billing/**` are enforced',
          ),
        ]),
    ...vagueWords(text),
  ].toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0))
}

const error = (line: number | null, rule: string, message: string): BriefProblem => ({
  level: 'error',
  line,
  rule,
  message,
})
const warning = (line: number | null, rule: string, message: string): BriefProblem => ({
  level: 'warning',
  line,
  rule,
  message,
})

const lineWith = (text: string, part: string): number | null => {
  const index = text.split('\n').findIndex((line) => line.includes(part))
  return index === -1 ? null : index + 1
}

/** A glob may name what is yet to be made: then the folder it starts in has to be there. */
function scopeProblems(brief: Brief, text: string, files: readonly string[]): BriefProblem[] {
  return brief.scope.flatMap((glob) => {
    if (!isUsableGlob(glob)) return [error(lineWith(text, glob), 'unusable-glob', `scope \`${glob}\` ${unusableGlob}`)]
    const matches = pathMatcher([glob])
    if (files.some((file) => matches(file))) return []
    const { base } = picomatch.scan(glob)
    const parent = base.includes('/') ? base.slice(0, base.lastIndexOf('/') + 1) : null
    const mayBeMade =
      !glob.includes('*') && (parent === null ? /\.\w+$/.test(glob) : files.some((file) => file.startsWith(parent)))
    return mayBeMade ? [] : [error(lineWith(text, glob), 'scope-matches-nothing', `scope \`${glob}\` matches no file`)]
  })
}

/** `dependancy: *` would be read as prose, and the guard that its author believes in would not be there. */
const misspelt = ({ text, line }: Brief['never'][number]): BriefProblem[] => {
  const [, word] = /^`?(\w+)`?\s*(?::|$)/.exec(text) ?? []
  if (word === undefined) return []
  const message = `\`${text}\` is not enforced: write \`dependency: NAME\` (or \`*\`) or \`path: GLOB\`, or a whole sentence`
  return [error(line, 'never-not-enforced', message)]
}

/** A path that protects nothing is worse than none: it is believed to. */
const neverProblems = (brief: Brief, files: readonly string[] | undefined): BriefProblem[] =>
  brief.never.flatMap((never): BriefProblem[] => {
    if (never.kind === 'statement') return misspelt(never)
    if (never.kind !== 'path') return []
    if (!isUsableGlob(never.glob)) return [error(never.line, 'unusable-glob', `\`${never.glob}\` ${unusableGlob}`)]
    const matches = pathMatcher([never.glob])
    if (files === undefined || files.some((file) => matches(file))) return []
    return [warning(never.line, 'never-matches-nothing', `\`${never.glob}\` matches no file there is now`)]
  })

const signerProblems = (brief: Brief, text: string, canSign: (email: string) => boolean): BriefProblem[] => {
  if (canSign(brief.owner)) return []
  const line = lineWith(text, brief.owner)
  const message = `the owner ${brief.owner} is not in .gaffer/allowed_signers, so nothing could land: add a line \`${brief.owner} ssh-ed25519 …\` there on the protected branch`
  return [error(line, 'owner-cannot-sign', message)]
}

const agentProblems = (brief: Brief, text: string, agents: readonly string[]): BriefProblem[] =>
  brief.agent === null || agents.includes(brief.agent)
    ? []
    : [
        error(
          lineWith(text, brief.agent),
          'unknown-agent',
          `there is no agent \`${brief.agent}\` in .gaffer/gaffer.yaml (${agents.join(', ') || 'none is declared'})`,
        ),
      ]

const untestedAcceptance = (brief: Brief): BriefProblem[] =>
  brief.acceptance
    .filter(({ test }) => test === null)
    .map(({ id, line }) =>
      warning(
        line,
        'undefined-behaviour',
        `${id} names no test, so it is undefined behaviour: end it with \`(test: path > name)\``,
      ),
    )

const vague =
  /\b(?:appropriate(?:ly)?|properly|as needed|as necessary|user[- ]friendly|easy to use|intuitive|seamless(?:ly)?|robust|scalable|performant|efficient(?:ly)?|fast(?:er)?|quick(?:ly)?|reasonable|reasonably|sensible|best practices?|clean(?: up)? code|nice(?:ly)?|somehow|some kind of|various|several|etc\.?|and so on|if possible|ideally|should probably|handle errors|gracefully|modern|state[- ]of[- ]the[- ]art|better|improve[ds]?|optimi[sz]e[ds]?)(?![\w-])/gi

/** Words that two people read differently, with their place; code is left alone. */
function vagueWords(text: string): BriefProblem[] {
  let fenced = false
  return text.split('\n').flatMap((line, index) => {
    if (/^\s*(?:```|~~~)/.test(line)) fenced = !fenced
    if (fenced) return []
    const prose = line.replace(/`[^`]*`/g, (code) => ' '.repeat(code.length))
    return [...prose.matchAll(vague)].map((match) =>
      warning(
        index + 1,
        'vague',
        `column ${match.index + 1}: "${match[0]}" can be read in more than one way: say how much, or by what test`,
      ),
    )
  })
}
