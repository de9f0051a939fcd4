import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

export interface PackageSpec {
  readonly version?: string
  /** More of its package.json. */
  readonly manifest?: Readonly<Record<string, unknown>>
  readonly files?: Readonly<Record<string, string>>
}
export interface PackageRegistry extends AsyncDisposable {
  readonly url: string
  /** Paths that were asked for. */
  readonly asked: readonly string[]
  /** A package-lock.json over these packages; folders of workspaces map to their package.json. */
  lockfile(root: object, workspaces?: Readonly<Record<string, { name: string; version: string }>>): string
}

/** An npm registry on this machine with a few small packages, for installs with no network. */
export async function packageRegistry(specs: Readonly<Record<string, PackageSpec>>): Promise<PackageRegistry> {
  const packages = new Map(
    await Promise.all(Object.entries(specs).map(async ([name, spec]) => [name, await pack(name, spec)] as const)),
  )
  const asked: string[] = []
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? '/')
    asked.push(path)
    const name = path.slice(1).replace(/\.tgz$/, '')
    const found = packages.get(name)
    if (found === undefined) return void response.writeHead(404).end('{}')
    if (path.endsWith('.tgz')) return void response.end(found.tarball)
    const dist = { tarball: `${url}/${name}.tgz`, integrity: found.integrity }
    const versions = { [found.version]: { ...found.manifest, dist } }
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ name, 'dist-tags': { latest: found.version }, versions }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const url = `http://127.0.0.1:${address !== null && typeof address === 'object' ? address.port : 0}`
  return {
    url,
    asked,
    lockfile(root, workspaces = {}) {
      const installed = Array.from(packages, ([name, { version, integrity, manifest }]) => [
        `node_modules/${name}`,
        {
          version,
          integrity,
          ...('bin' in manifest && { bin: manifest['bin'] }),
          hasInstallScript: 'scripts' in manifest || undefined,
        },
      ])
      const own = Object.entries(workspaces).flatMap(([folder, manifest]) => [
        [folder, manifest],
        [`node_modules/${manifest.name}`, { resolved: folder, link: true }],
      ])
      return JSON.stringify({
        lockfileVersion: 3,
        requires: true,
        packages: Object.fromEntries([['', root], ...installed, ...own]),
      })
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function pack(name: string, { version = '1.0.0', manifest: more = {}, files = {} }: PackageSpec) {
  const folder = await mkdtemp(join(tmpdir(), 'gaffer-package-'))
  try {
    const manifest: Record<string, unknown> = { name, version, ...more }
    const all = { 'package.json': JSON.stringify(manifest), ...files }
    for (const [path, text] of Object.entries(all)) {
      const place = join(folder, 'package', path)
      await mkdir(dirname(place), { recursive: true })
      await writeFile(place, text)
    }
    await promisify(execFile)('tar', ['-czf', 'package.tgz', 'package'], { cwd: folder })
    const tarball = await readFile(join(folder, 'package.tgz'))
    return { version, manifest, tarball, integrity: `sha512-${createHash('sha512').update(tarball).digest('base64')}` }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
