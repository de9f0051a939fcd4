import { mkdir, readdir, realpath, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** What a command of a room has beside the machine's own programs. No command can write there. */
export interface Tools {
  readonly folder: string
  /** The shell command that runs a line with them on its PATH. */
  readonly argv: (line: string) => readonly [string, ...string[]]
  /** npm takes a variable before an .npmrc of the tree, which is part of the change. */
  readonly env: Readonly<Record<string, string>>
}

/**
 * Puts the programs of the checkout's own packages before others, so that gaffer.yaml can name them as scripts of
 * package.json do. Called once for a room, after its dependencies are there.
 * @param installed whether `node_modules` is what the room put there; one that the change brought along counts for nothing
 */
export async function layOutTools(folder: string, checkout: string, installed: boolean): Promise<Tools> {
  const [bin, user, global] = [join(folder, 'bin'), join(folder, 'npmrc'), join(folder, 'npmrc-global')]
  await mkdir(bin, { recursive: true })
  await Promise.all([user, global].map((path) => writeFile(path, '')))
  const from = join(checkout, 'node_modules/.bin')
  const names = installed ? await readdir(from).catch(() => []) : []
  await Promise.all(
    names.map(async (name) => {
      if (!(await isOfMachine(name))) await symlink(join(from, name), join(bin, name))
    }),
  )
  return {
    folder,
    argv: (line) => ['sh', '-c', 'PATH="$1:$PATH"; export PATH; exec sh -c "$2"', 'sh', bin, line],
    env: {
      npm_config_script_shell: '/bin/sh',
      npm_config_userconfig: user,
      npm_config_globalconfig: global, // npm refuses to read one file as both
      npm_config_if_present: 'false', // else a script that is gone ends with 0
      npm_config_ignore_scripts: 'false', // else `pretest` is left out
      npm_config_usage: 'false', // else npm says how it is used, and ends with 0
    },
  }
}

/** A package's `sh` or `node` never stands for the machine's; what npm put on the machine may be another version. */
async function isOfMachine(name: string): Promise<boolean> {
  const folders = [dirname(process.execPath), '/usr/local/bin', '/usr/bin', '/bin']
  const found = await Promise.all(folders.map((folder) => realpath(join(folder, name)).catch(() => undefined)))
  return found.some(
    (path) =>
      path !== undefined && (!path.includes('/node_modules/') || /\/node_modules\/(?:npm|corepack)\//.test(path)),
  )
}
