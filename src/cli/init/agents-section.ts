const start = '<!-- gaffer:start -->'
const end = '<!-- gaffer:end -->'

const section = `${start}
<!-- Written by \`gaffer init\`. What stands between these two lines is replaced; the rest of this file is yours. -->

## Gaffer

Changes reach the protected branch of this repository through Gaffer only.

- Work on the unit you were given, and on nothing else. It is judged as a whole tree when your turn ends.
- \`.gaffer/\` and the files that \`.gaffer/gaffer.yaml\` lists as contracts belong to people. Read them; a change to
  them is refused.
- Do not weaken a test to make it pass: no skips, no \`only\`, no fewer assertions. Mend the code.
- Add no dependency unless the brief asks for it. Put no secret into a file.
- Do not commit, push, or rewrite history: the host does that from your files.
- What a gate found comes back to you with the place and how to mend it. Mend the cause.
${end}
`

/**
 * AGENTS.md with the managed section in it, everything else untouched. Pure, and the same when done again.
 * @returns undefined when the section that is there has no end
 */
export function withSection(before: string | undefined): string | undefined {
  if (before === undefined || before.trim() === '') return `# For agents that work here\n\n${section}`
  const from = before.indexOf(start)
  if (from === -1) return `${before.endsWith('\n') ? before : `${before}\n`}\n${section}`
  const to = before.indexOf(end, from)
  if (to === -1) return undefined
  const after = before.slice(to + end.length)
  return `${before.slice(0, from)}${section.trimEnd()}${after === '' ? '\n' : after}`
}
