import { z } from 'zod'
import { settingsSchema } from '../src/domain/settings.ts'

interface Node {
  readonly type?: string | readonly string[]
  readonly description?: string
  readonly default?: unknown
  readonly const?: string | number | boolean
  readonly enum?: readonly (string | number | boolean)[]
  readonly anyOf?: readonly Node[]
  readonly items?: Node
  readonly properties?: Readonly<Record<string, Node>>
  readonly additionalProperties?: Node | boolean
  readonly required?: readonly string[]
}

/** docs/gaffer-yaml.md, made of the schema that reads the file. */
export function renderSettings(): string {
  const schema = z.toJSONSchema(settingsSchema, { io: 'input' }) as Node
  const rows = rowsOf(schema, '').map(
    ({ path, node, required }) =>
      `| \`${path}\` | ${typeOf(node)} | ${defaultOf(node, required)} | ${node.description ?? ''} |`,
  )
  return `# gaffer.yaml

\`.gaffer/gaffer.yaml\` of the repository that Gaffer looks after. It is always read from the protected branch: what a
change says about it counts for nothing. \`gaffer init\` writes one. An unknown field is an error.

<!-- Written by script/docs from src/domain/settings.ts. -->

| field | type | default | meaning |
|---|---|---|---|
${rows.join('\n')}

The options of each gate are in the README of its folder below \`src/gates/\`.
`
}

function rowsOf(node: Node, path: string): { path: string; node: Node; required: boolean }[] {
  return Object.entries(node.properties ?? {}).flatMap(([key, child]) => {
    const at = path === '' ? key : `${path}.${key}`
    if (child.properties !== undefined) return rowsOf(child, at)
    const each = typeof child.additionalProperties === 'object' ? child.additionalProperties : undefined
    if (each?.properties !== undefined)
      return [
        { path: `${at}.NAME`, node: { ...each, type: 'section' }, required: node.required?.includes(key) ?? false },
        ...rowsOf(each, `${at}.NAME`),
      ]
    return [{ path: at, node: child, required: node.required?.includes(key) ?? false }]
  })
}

function typeOf(node: Node): string {
  if (node.const !== undefined) return `\`${String(node.const)}\``
  if (node.enum !== undefined) return node.enum.map((value) => `\`${String(value)}\``).join(', ')
  if (node.anyOf !== undefined)
    return node.anyOf
      .filter(({ type }) => type !== 'null')
      .map(typeOf)
      .join(' or ')
  if (node.type === 'array') return `list of ${typeOf(node.items ?? {})}s`
  if (node.type === 'object') return 'names and texts'
  return String(node.type ?? 'anything')
}

function defaultOf(node: Node, required: boolean): string {
  if (required) return 'required'
  if (node.default === undefined || node.default === null) return ''
  const text = JSON.stringify(node.default)
  return text === '{}' || text === '[]' ? 'none' : `\`${text.replaceAll('"', '')}\``
}
