import { unitsToReview, type BlockReason, type Task } from '../domain/task/task.ts'

/** Whom a task waits for, and with what, in a few words; null while it goes on by itself. */
export function waitsFor(task: Task): string | null {
  switch (task.state) {
    case 'planned':
      return `approval of the plan: gaffer plan ${task.id} --approve`
    case 'reviewing': {
      const waiting = unitsToReview(task)
      if (waiting.length > 0)
        return `review of ${waiting.length === 1 ? 'one unit' : `${waiting.length} units`}: gaffer review ${task.id}`
      return task.candidate === null ? null : `the signature of ${task.brief.owner}: gaffer sign ${task.id} --key FILE`
    }
    case 'blocked':
      return `${sayReason(task.reason)}: ${task.unblocks}`
    case 'drafted':
    case 'building':
    case 'signed':
    case 'landing':
    case 'landed':
    case 'abandoned':
      return null
  }
}

export function sayReason(reason: BlockReason): string {
  switch (reason.kind) {
    case 'rounds-used-up':
      return `${reason.unit} has used its rounds; ${count(reason.findings.length, 'finding')} left`
    case 'gate-unavailable':
      return `gate ${reason.gate} is unavailable (${reason.cause.message})`
    case 'fault':
      return `${reason.during}: ${reason.cause.message}`
    case 'final-gates-failed':
      return `the final gates found ${count(reason.findings.length, 'finding')}`
    case 'conflict':
      return `the change conflicts with main in ${reason.paths.join(', ')}`
    case 'agent-asks':
      return `the agent asks: ${reason.question}`
    case 'hub-refused':
      return `the landing was refused: ${reason.message}`
  }
}

const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? '' : 's'}`
