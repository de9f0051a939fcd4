import { fromMarkdown } from 'mdast-util-from-markdown'
import type { List, Nodes, RootContent } from 'mdast'
import type { AcceptanceLine, Brief, NeverLine } from '../../domain/brief.ts'

export const sectionNames = ['Outcome', 'Context', 'Acceptance', 'Failure modes', 'Never', 'Exemplars'] as const

export interface Section {
  /** In the spelling of `sectionNames` where it is one of them. */
  readonly name: string
  readonly line: number
  readonly text: string
  readonly bullets: readonly Bullet[]
  /** Line of a second heading of the same name, or null. */
  readonly again: number | null
}
export interface Bullet {
  readonly text: string
  readonly line: number
}

/** Sections of a brief's body by name. `firstLine` is the line of the file the body starts on. A first `#` title is left out. */
export function readSections(body: string, firstLine: number): ReadonlyMap<string, Section> {
  const sections = new Map<string, Section>()
  let open: { name: string; line: number; nodes: RootContent[] } | null = null
  const close = (): void => {
    if (open === null) return
    const before = sections.get(open.name)
    if (before !== undefined) sections.set(open.name, { ...before, again: open.line })
    else
      sections.set(open.name, {
        name: open.name,
        line: open.line,
        again: null,
        ...contentOf(open.nodes, body, firstLine),
      })
  }
  for (const node of fromMarkdown(body).children) {
    if (node.type !== 'heading' || node.depth > 2) {
      open?.nodes.push(node)
      continue
    }
    close()
    const title = textOf(node).trim()
    const isTitle: boolean = node.depth === 1 && sections.size === 0 && open === null && known(title) === undefined
    open = isTitle ? null : { name: known(title) ?? title, line: lineOf(node, firstLine), nodes: [] }
  }
  close()
  return sections
}

const known = (title: string): string | undefined =>
  sectionNames.find((name) => name.toLowerCase() === title.toLowerCase())

function contentOf(nodes: readonly RootContent[], body: string, firstLine: number): Pick<Section, 'text' | 'bullets'> {
  const [first, last] = [nodes[0], nodes.at(-1)]
  const text = first === undefined ? '' : body.slice(first.position?.start.offset, last?.position?.end.offset).trim()
  const bullets = nodes
    .filter((node): node is List => node.type === 'list')
    .flatMap(({ children }) => children)
    .map((item) => ({ text: sourceOf(item, body), line: lineOf(item, firstLine) }))
    .filter((bullet) => bullet.text !== '')
  return { text, bullets }
}

/** The item as it was written, on one line, without its marker. */
const sourceOf = (node: Nodes, body: string): string =>
  body
    .slice(node.position?.start.offset, node.position?.end.offset)
    .replace(/^(?:[-*+]|\d+[.)])\s*/, '')
    .replace(/\s+/g, ' ')
    .trim()

const lineOf = (node: Nodes, firstLine: number): number => (node.position?.start.line ?? 1) + firstLine - 1

const textOf = (node: Nodes): string =>
  'value' in node ? node.value : 'children' in node ? node.children.map((child) => textOf(child as Nodes)).join('') : ''

/** `- It answers 404 for an unknown id (test: test/orders.test.ts > unknown id)`: the promise and the test that shows it. */
export const readAcceptance = (section: Section | undefined): AcceptanceLine[] =>
  (section?.bullets ?? []).map(({ text, line }, index) => {
    const named = /^(?<promise>.*\S)\s*\(test:\s*(?<test>.+?)\s*\)\.?$/.exec(text)
    return {
      id: `A${index + 1}`,
      line,
      text: named?.groups?.['promise'] ?? text,
      test: named?.groups?.['test']?.replaceAll('`', '') ?? null,
    }
  })

/** `- dependency: NAME` or `*`, and `- path: GLOB`, are enforced; anything else is a statement. */
export const readNever = (section: Section | undefined): NeverLine[] =>
  (section?.bullets ?? []).map(({ text, line }): NeverLine => {
    const form = /^`?(?<kind>dependency|path):\s*(?<value>[^`]*?)`?$/.exec(text)
    const value = form?.groups?.['value'] ?? ''
    if (form?.groups?.['kind'] === 'dependency') return { kind: 'dependency', name: value, text, line }
    if (form?.groups?.['kind'] === 'path') return { kind: 'path', glob: value, text, line }
    return { kind: 'statement', text, line }
  })

export const readLines = (section: Section | undefined): Brief['exemplars'] =>
  (section?.bullets ?? []).map(({ text, line }) => ({ text, line }))
