import { access, constants, stat } from 'node:fs/promises'
import { signOffNamespace } from '../domain/evidence.ts'
import { Fault } from '../domain/fault.ts'
import { runSshKeygen, type KeygenRun } from './ssh-keygen.ts'

export interface SignRequest {
  /** A private key, or the public half of one that an SSH agent or a security key holds. */
  readonly keyFile: string
  /** The candidate's statement, exactly. */
  readonly statement: string
  /** Whether a person is there who can be asked for a pass phrase. */
  readonly interactive: boolean
  /** Where SSH_AUTH_SOCK, HOME and the like come from: the caller's environment. */
  readonly env: Readonly<Record<string, string | undefined>>
}

/**
 * Signs a statement with `ssh-keygen -Y sign`; called by the command line, on the owner's machine. The key never passes
 * through Gaffer. Repeating is safe.
 * @returns the armoured signature
 * @throws Fault signing-failed, command-missing
 */
export async function signWithKey(request: SignRequest): Promise<string> {
  await checkKeyFile(request.keyFile)
  const run = await runSshKeygen(['-Y', 'sign', '-q', '-f', request.keyFile, '-n', signOffNamespace], {
    message: request.statement,
    env: environment(request),
  })
  if (run.exitCode === 0 && run.stdout.startsWith('-----BEGIN SSH SIGNATURE-----')) return run.stdout
  throw notSigned(request, run)
}

const passed = ['HOME', 'USER', 'SSH_AUTH_SOCK', 'SSH_ASKPASS', 'SSH_SK_PROVIDER', 'DISPLAY', 'WAYLAND_DISPLAY', 'TERM']

function environment({ env, interactive }: SignRequest): Record<string, string> {
  const kept = Object.fromEntries(
    passed.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])),
  ) as Record<string, string>
  // With nobody there, an answer of "no" beats a question that waits for ever on a terminal.
  return interactive ? kept : { ...kept, SSH_ASKPASS: '/bin/false', SSH_ASKPASS_REQUIRE: 'force' }
}

async function checkKeyFile(file: string): Promise<void> {
  try {
    await access(file, constants.R_OK)
  } catch {
    throw new Fault('signing-failed', `the key ${file} is not there, or cannot be read`, {
      hint: 'give the file of your own SSH key with --key; `ssh-keygen -t ed25519` makes one',
    })
  }
  const { mode, size } = await stat(file)
  if (!file.endsWith('.pub') && (mode & 0o077) !== 0 && size > 0)
    throw new Fault('signing-failed', `the key ${file} can be read by other users, so ssh-keygen will not use it`, {
      hint: `run \`chmod 600 ${file}\``,
    })
}

function notSigned({ keyFile, interactive }: SignRequest, run: KeygenRun): Fault {
  const hint = keyFile.endsWith('.pub')
    ? 'the private half has to be in your SSH agent: see `ssh-add -l`, add it with `ssh-add`'
    : interactive
      ? 'see that it is an SSH private key and that the pass phrase is right'
      : 'see that it is an SSH private key; one with a pass phrase needs a terminal, or `ssh-add` and the .pub file'
  return new Fault('signing-failed', `ssh-keygen did not sign with ${keyFile}: ${run.said || 'it said nothing'}`, {
    hint,
  })
}
