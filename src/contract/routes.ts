/** Every address there is, in one place, for the server, the command line and the page. */
const task = (id: string): string => `/api/tasks/${encodeURIComponent(id)}`

export const routes = {
  health: '/api/health',
  pageKeys: '/api/page-keys',
  tasks: '/api/tasks',
  stream: '/api/stream',
  task,
  events: (id: string): string => `${task(id)}/events`,
  taskStream: (id: string): string => `${task(id)}/stream`,
  sessions: (id: string): string => `${task(id)}/sessions`,
  patch: (id: string): string => `${task(id)}/patch`,
  statement: (id: string): string => `${task(id)}/statement`,
  commands: (id: string): string => `${task(id)}/commands`,
  session: (name: string): string => `/api/sessions/${encodeURIComponent(name)}`,
} as const
