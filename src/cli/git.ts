import { execFile } from 'node:child_process'

export interface GitRan {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/**
 * Runs git where the person stands, as they would. A non-zero exit is a value; 127 when there is no git. Asks nothing
 * on the terminal.
 */
export const git = (cwd: string, args: readonly string[]): Promise<GitRan> =>
  new Promise((resolve) => {
    const env = { ...process.env, GIT_TERMINAL_PROMPT: '0', LC_ALL: 'C' }
    execFile('git', [...args], { cwd, env, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 127
      resolve({ code, stdout, stderr })
    })
  })

/** One line of an answer; undefined when git has none. */
export async function gitLine(cwd: string, args: readonly string[]): Promise<string | undefined> {
  const { code, stdout } = await git(cwd, args)
  return code === 0 ? stdout.trimEnd().split('\n', 1)[0] : undefined
}
