import { isFinished, unitsToReview, type Task } from '../domain/task/task.ts'
import { waitsFor } from '../workflows/waits-for.ts'

export interface NextStep {
  /** A person is needed, Gaffer goes on by itself, or it is over. */
  readonly turn: 'person' | 'gaffer' | 'nobody'
  readonly says: string
  readonly command: string | null
}

/** What comes next for a task, said so that it can be typed. Pure. */
export function nextStep(task: Task): NextStep {
  const turn = isFinished(task) ? 'nobody' : waitsFor(task) === null ? 'gaffer' : 'person'
  return { turn, ...step(task) }
}

function step(task: Task): { says: string; command: string | null } {
  switch (task.state) {
    case 'drafted':
      return { says: 'the agent draws up the plan', command: `gaffer watch ${task.id}` }
    case 'planned':
      return { says: 'read the plan, and approve it or send it back', command: `gaffer plan ${task.id} --approve` }
    case 'building':
      return { says: 'the agent builds it unit by unit', command: `gaffer watch ${task.id}` }
    case 'reviewing': {
      const waiting = unitsToReview(task).length
      if (waiting > 0)
        return {
          says: `review ${waiting === 1 ? 'one unit' : `${waiting} units`}`,
          command: `gaffer review ${task.id}`,
        }
      return task.candidate === null
        ? { says: 'the final gates judge the whole', command: `gaffer watch ${task.id}` }
        : { says: `${task.brief.owner} signs`, command: `gaffer sign ${task.id} --key FILE` }
    }
    case 'signed':
    case 'landing':
      return { says: 'it lands', command: `gaffer watch ${task.id}` }
    case 'blocked':
      return { says: task.unblocks, command: `gaffer answer ${task.id}` }
    case 'landed':
      return { says: `it is on ${task.branch}`, command: 'gaffer verify' }
    case 'abandoned':
      return { says: 'it was abandoned; nothing landed', command: null }
  }
}
