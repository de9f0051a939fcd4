import { join, resolve } from 'node:path'

/** Where this Gaffer's own program is: the clone or package that main.ts is in. */
export const root = resolve(import.meta.dirname, '..', '..')

/** `gaffer` as a program that an agent entry of gaffer.yaml may name, and what it has to be able to read. */
export const ownProgram = {
  argv: [process.execPath, join(root, 'src', 'main.ts')] as const,
  readable: ['src', 'node_modules', 'package.json'].map((part) => join(root, part)),
}

export const version = async (): Promise<string> => {
  const { default: manifest } = await import('../../package.json', { with: { type: 'json' } })
  return manifest.version
}
