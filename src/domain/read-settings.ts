import { LineCounter, parseDocument } from 'yaml'
import { Fault } from './fault.ts'
import { paths, settingsSchema, type Settings } from './settings.ts'

/**
 * Parses `.gaffer/gaffer.yaml`.
 * @param text the file of the protected base; undefined when it has none
 * @throws Fault bad-settings, naming the place
 */
export function readSettings(text: string | undefined): Settings {
  if (text === undefined)
    throw bad('is not there', 'run `gaffer init` on the protected branch, and commit what it writes')
  const counter = new LineCounter()
  const document = parseDocument(text, { lineCounter: counter, uniqueKeys: true })
  const [broken] = document.errors
  if (broken !== undefined) throw bad(`line ${counter.linePos(broken.pos[0]).line}: ${broken.message.split('\n')[0]}`)
  const parsed = settingsSchema.safeParse(plain(document))
  if (parsed.success) return parsed.data
  throw bad(parsed.error.issues.map((issue) => `${issue.path.join('.') || 'the file'}: ${issue.message}`).join('; '))
}

/** Aliases that multiply are refused: a settings file of a few lines must not become gigabytes. */
function plain(document: ReturnType<typeof parseDocument>): unknown {
  try {
    return document.toJS({ maxAliasCount: 20 })
  } catch {
    return null
  }
}

const bad = (what: string, hint = 'mend it on the protected branch; docs/gaffer-yaml.md lists every field'): Fault =>
  new Fault('bad-settings', `${paths.settings} ${what}`, { hint })
