import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { homedir, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Confinement, RunOptions, Sandbox } from '../../src/ports/sandbox.ts'
import { listProcesses } from '../../src/process/proc.ts'
import { run as runProcess } from '../../src/process/run.ts'

/** What every Sandbox does; what only a real one can promise is skipped by name with the reason. */
export function sandboxContract(
  name: string,
  make: () => Sandbox,
  {
    cannotConfine = null,
    missing = null,
  }: { readonly cannotConfine?: string | null; readonly missing?: string | null },
): void {
  const promised = cannotConfine === null ? '' : ` (skipped: ${cannotConfine})`
  const confines = cannotConfine === null ? test : test.skip

  describe.skipIf(missing !== null)(`${name} as a sandbox${missing === null ? '' : ` (skipped: ${missing})`}`, () => {
    const sandbox = make()
    let folder = ''
    let confinement: Confinement
    let door: Server

    beforeAll(async () => {
      folder = await realpath(await mkdtemp(join(tmpdir(), 'gaffer-sandbox-')))
      for (const each of ['workspace', 'home', 'beside', 'shown']) await mkdir(join(folder, each))
      await writeFile(join(folder, 'beside', 'secret'), 'secret')
      await writeFile(join(folder, 'shown', 'text'), 'to read')
      confinement = {
        cwd: join(folder, 'workspace'),
        home: join(folder, 'home'),
        writable: [join(folder, 'workspace'), join(folder, 'home')],
        readable: [join(folder, 'shown'), dirname(process.execPath)],
        network: 'none',
      }
      door = createServer((socket) => void socket.on('error', () => undefined).end('hello'))
      await new Promise<void>((resolve) => void door.listen(0, '127.0.0.1', resolve))
    })
    afterAll(async () => {
      door.close()
      await rm(folder, { recursive: true })
    })

    const sh = (line: string, more: Partial<RunOptions> = {}) =>
      sandbox.run(['/bin/sh', '-c', line], { confinement, env: {}, timeoutMs: 30_000, outputBytes: 50_000, ...more })

    test('a command runs in its folder with the environment it was given and nothing else', async () => {
      process.env['GAFFER_TEST_LEAK'] = 'leaked'
      const { stdout } = await sh('pwd; env', { env: { ASKED: 'for' } })
      delete process.env['GAFFER_TEST_LEAK']
      expect(stdout.split('\n')[0]).toBe(confinement.cwd)
      expect(stdout).toContain(`HOME=${confinement.home}\n`)
      expect(stdout).toContain('LANG=C.UTF-8\n')
      expect(stdout).toContain('ASKED=for\n')
      expect(stdout).not.toContain('leaked')
    })

    test('the Node that runs Gaffer and git are on its path', async () => {
      const { stdout } = await sh('node --version; git --version; touch "$TMPDIR/x" "$HOME/x" && echo writable')
      expect(stdout).toMatch(new RegExp(`^${process.version}\ngit version .*\nwritable\n$`))
    })

    test('what it writes into its workspace stays', async () => {
      expect(await sh('echo kept > kept; exit 7')).toMatchObject({ exitCode: 7, truncated: false })
      expect(await readFile(join(confinement.cwd, 'kept'), 'utf8')).toBe('kept\n')
    })

    test('what is shown to it can be read', async () => {
      expect((await sh(`cat ${join(folder, 'shown', 'text')}`)).stdout).toBe('to read')
    })

    test('a program that is not there is command-missing', async () => {
      const limits = { confinement, env: {}, timeoutMs: 30_000, outputBytes: 100 }
      await expect(sandbox.run(['gaffer-no-such-program'], limits)).rejects.toMatchObject({ code: 'command-missing' })
      await expect(sandbox.wrap(['gaffer-no-such-program'], confinement)).rejects.toMatchObject({
        code: 'command-missing',
      })
    })

    test('a command that never ends is ended at its time limit', async () => {
      await expect(sh('sleep 600', { timeoutMs: 300 })).rejects.toMatchObject({ code: 'command-timeout' })
    })

    test('an abort ends it', async () => {
      const abort = new AbortController()
      const running = sh('sleep 600', { signal: abort.signal })
      setImmediate(() => abort.abort())
      await expect(running).rejects.toMatchObject({ code: 'cancelled' })
    })

    test('output past the limit is cut, and said', async () => {
      const ran = await sh('head -c 100000 /dev/zero | tr "\\0" x', { outputBytes: 1_000 })
      expect(ran.truncated).toBe(true)
      expect(ran.stdout.length).toBeLessThan(1_200)
    })

    test('bytes that are no UTF-8 do no harm', async () => {
      expect((await sh("printf 'a\\377b'")).stdout).toBe('a\uFFFDb')
    })

    test('what it left running is gone when it returns, a session of its own or not', async () => {
      const token = `599.${process.pid}`
      await sh(
        `sleep ${token} & setsid sleep ${token} >/dev/null 2>&1 & (setsid sh -c "sleep ${token} &" &) ; sleep 0.2`,
      )
      expect(await running(token)).toEqual([])
    })

    test('the wrapped line, started by somebody else, is the same command', async () => {
      const line = await sandbox.wrap(['/bin/sh', '-c', 'pwd; echo $HOME; exit 5'], confinement)
      const ran = await runProcess(line, { cwd: confinement.cwd, env: {}, timeoutMs: 30_000, outputBytes: 1_000 })
      expect(ran).toMatchObject({ exitCode: 5, stdout: `${confinement.cwd}\n${confinement.home}\n` })
    })

    test('it says what it protects', async () => {
      const protection = await sandbox.protects()
      expect(protection.kind).toBe(cannotConfine === null ? 'confined' : 'unconfined')
    })

    confines(`nothing outside of what is writable can be written${promised}`, async () => {
      const places = [join(folder, 'beside'), join(folder, 'shown'), '/usr', '/etc/alternatives', homedir()]
      const { stdout } = await sh(places.map((place) => `touch ${place}/gaffer-was-here && echo ${place}`).join('; '))
      const got = places.filter((place) => existsSync(join(place, 'gaffer-was-here')))
      expect({ stdout, got }).toEqual({ stdout: '', got: [] })
    })

    confines(`a symlink in the workspace is no way out${promised}`, async () => {
      await symlink(join(folder, 'beside'), join(confinement.cwd, 'way-out'))
      await sh('echo changed > way-out/secret; cat way-out/secret')
      expect(await readFile(join(folder, 'beside', 'secret'), 'utf8')).toBe('secret')
      expect((await sh('cat way-out/secret')).stdout).toBe('')
    })

    confines(`a readable folder that is such a symlink is refused${promised}`, async () => {
      await symlink(join(folder, 'beside'), join(confinement.cwd, 'node_modules'))
      const wider = { ...confinement, readable: [join(confinement.cwd, 'node_modules')] }
      await expect(sh('ls node_modules', { confinement: wider })).rejects.toMatchObject({ code: 'sandbox-unavailable' })
      await rm(join(confinement.cwd, 'node_modules'))
    })

    confines(`a readable folder inside a writable one is read-only${promised}`, async () => {
      await mkdir(join(confinement.cwd, 'dependencies'))
      const wider = { ...confinement, readable: [join(confinement.cwd, 'dependencies')] }
      expect((await sh('touch dependencies/x', { confinement: wider })).exitCode).not.toBe(0)
    })

    confines(`a folder that is not there is no folder to be confined to${promised}`, async () => {
      const wider = { ...confinement, readable: ['/no/such/folder'] }
      await expect(sh('true', { confinement: wider })).rejects.toMatchObject({ code: 'sandbox-unavailable' })
    })

    confines(`the home folder, other workspaces and secrets of the system cannot be read${promised}`, async () => {
      const { stdout } = await sh(`cat ${folder}/beside/secret; cat ${homedir()}/.??* /etc/shadow; ls /var/lib`)
      expect(stdout).toBe('')
    })

    confines(`it reaches no network, ours included${promised}`, async () => {
      const address = door.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      const connect = `require('net').connect(${port},'127.0.0.1').on('connect',()=>{console.log('in');process.exit()}).on('error',e=>console.log(e.code))`
      const reach = (network: Confinement['network']) =>
        sh(`node -e "${connect}"`, { confinement: { ...confinement, network } })
      expect((await reach('none')).stdout).toBe('ECONNREFUSED\n')
      expect((await reach('host')).stdout).toBe('in\n')
    })

    confines(`what wiped its environment and its ancestry is gone all the same${promised}`, async () => {
      const token = `598.${process.pid}`
      await sh(`(env -i setsid sh -c "sleep ${token} &" &) ; sleep 0.2`)
      expect(await running(token)).toEqual([])
    })
  })
}

/** Processes of this machine that sleep for this many seconds. */
async function running(token: string): Promise<readonly string[]> {
  const lines = await Promise.all(
    listProcesses().map(({ pid }) => readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '')),
  )
  return lines.filter((line) => line.includes(`sleep\0${token}`))
}
