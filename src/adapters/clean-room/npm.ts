import { readFile, realpath, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { findProgram } from '../../process/find-program.ts'
import { unavailable } from './lockfile.ts'

/** How npm is started for an install, and what it has to see of this machine to reach the user's registry. */
export interface Npm {
  readonly argv: readonly [string, ...string[]]
  readonly env: Readonly<Record<string, string>>
  readonly readable: readonly string[]
}

/**
 * npm under the Node that runs Gaffer, with the registry, the proxy and the certificates of the user, and nothing
 * else of their settings: no setting of theirs, and none of the change, decides what is installed or runs a script.
 * @throws Fault dependencies-unavailable when there is no npm
 */
export async function findNpm(environment: Readonly<Record<string, string | undefined>>): Promise<Npm> {
  const cli = await findCli(environment['PATH'] ?? '')
  if (cli === undefined) throw unavailable('there is no npm on this machine', 'install npm 10 or later')

  const userConfig =
    environment['npm_config_userconfig'] ?? environment['NPM_CONFIG_USERCONFIG'] ?? join(homedir(), '.npmrc')
  const written = await readFile(userConfig, 'utf8').catch(() => undefined)
  const env: Record<string, string> = {
    ...patience,
    ...chosen(environment, (name) => passed.test(name) || (written !== undefined && written.includes(`\${${name}}`))),
    ...(written !== undefined && { npm_config_userconfig: userConfig }),
  }
  const certificates = [env['NODE_EXTRA_CA_CERTS'], env['SSL_CERT_FILE'], env['npm_config_cafile'], cafileOf(written)]
  const wanted = [...certificates, written === undefined ? undefined : userConfig]
  return {
    argv: [process.execPath, cli, ...words],
    env,
    readable: [dirname(process.execPath), dirname(dirname(cli)), ...(await existing(wanted))],
  }
}

const words = [
  'ci',
  '--ignore-scripts',
  '--include=dev',
  '--include=optional',
  '--include=peer',
  '--install-links=false',
  '--no-audit',
  '--no-fund',
  '--no-update-notifier',
  '--prefer-offline',
  '--no-progress',
  '--loglevel=error',
]

/** A registry that is away is told within seconds, not minutes. */
const patience = {
  npm_config_fetch_retries: '2',
  npm_config_fetch_retry_mintimeout: '1000',
  npm_config_fetch_retry_maxtimeout: '4000',
}

/** Variables about reaching a registry; every other npm_config_* could change what is installed. */
const passed =
  /^(?:https?_proxy|no_proxy|node_extra_ca_certs|ssl_cert_(?:file|dir)|npm_config_(?:registry|proxy|https?_proxy|noproxy|cafile|ca|strict_ssl|maxsockets|fetch_\w+|@[^/]+:registry|\/\/.+))$/i

const chosen = (
  environment: Readonly<Record<string, string | undefined>>,
  isWanted: (name: string) => boolean,
): Record<string, string> =>
  Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) =>
      value !== undefined && isWanted(name) ? [[name, value]] : [],
    ),
  )

const cafileOf = (config: string | undefined): string | undefined =>
  /^\s*cafile\s*=\s*"?([^"\n]+?)"?\s*$/m.exec(config ?? '')?.[1]

const existing = async (paths: readonly (string | undefined)[]): Promise<readonly string[]> => {
  const found = await Promise.all(
    paths.map(async (path) =>
      path !== undefined && path.startsWith('/') && (await stat(path).catch(() => undefined))?.isFile() ? [path] : [],
    ),
  )
  return found.flat()
}

/** npm's own program file: beside the Node that runs, else the one on the PATH. */
async function findCli(path: string): Promise<string | undefined> {
  const beside = join(dirname(process.execPath), '../lib/node_modules/npm/bin/npm-cli.js')
  const onPath = await findProgram('npm', path, '/')
  for (const place of [beside, onPath]) {
    const cli = place === undefined ? undefined : await realpath(place).catch(() => undefined)
    if (cli?.endsWith('/npm-cli.js') === true) return cli
  }
  return undefined
}
