// The status page: reads the list, follows the stream, and writes text, never markup.
;(() => {
  const limit = 100
  const shownEvents = 12
  const titles = {
    drafted: 'Being planned',
    planned: 'Plan to approve',
    building: 'Being built',
    reviewing: 'In review',
    signed: 'Signed',
    landing: 'Landing',
    landed: 'Landed',
    blocked: 'Blocked',
    abandoned: 'Abandoned',
  }
  const finished = new Set(['landed', 'abandoned'])
  const at = (id) => document.getElementById(id)
  const shown = new Map()
  const latest = new Map()

  const element = (name, className, text) => {
    const made = document.createElement(name)
    if (className) made.className = className
    if (text !== undefined) made.textContent = text
    return made
  }
  const write = (node, text) => {
    if (node.textContent !== text) node.textContent = text
  }
  const plural = (number, noun) => `${number} ${noun}${number === 1 ? '' : 's'}`

  function makeCard(id) {
    const card = element('li', 'task')
    const head = element('div', 'head')
    const title = element('h3')
    const state = element('span', 'state')
    head.append(title, state)
    const meta = element('p', 'meta')
    const owner = element('span')
    const agent = element('span')
    const changed = element('time')
    meta.append(element('span', 'id', id), owner, agent, changed)
    const course = element('div', 'course')
    const bricks = element('span', 'bricks')
    bricks.setAttribute('aria-hidden', 'true')
    const progress = element('span')
    course.append(bricks, progress)
    const waits = element('p', 'waits')
    const waitsText = element('span')
    const waitsCommand = element('code')
    waits.append(waitsText, waitsCommand)
    const last = element('p', 'latest')
    card.append(head, meta, course, waits, last)
    return { card, title, state, owner, agent, changed, bricks, progress, course, waits, waitsText, waitsCommand, last }
  }

  function fill(parts, row) {
    const {
      card,
      title,
      state,
      owner,
      agent,
      changed,
      bricks,
      progress,
      course,
      waits,
      waitsText,
      waitsCommand,
      last,
    } = parts
    card.dataset.state = row.state
    card.toggleAttribute('data-waits', row.waitsFor !== null)
    write(title, row.title)
    write(state, titles[row.state] ?? row.state)
    write(owner, `owner ${row.owner}`)
    write(agent, `agent ${row.agent}`)
    changed.dateTime = row.changedAt
    write(changed, `changed ${ago(row.changedAt)}`)

    course.hidden = row.unitsTotal === 0 || finished.has(row.state)
    while (bricks.childElementCount > row.unitsTotal) bricks.lastElementChild.remove()
    while (bricks.childElementCount < row.unitsTotal) bricks.append(element('span', 'brick'))
    for (const [index, brick] of [...bricks.children].entries()) brick.classList.toggle('laid', index < row.unitsDone)
    write(progress, `${row.unitsDone} of ${plural(row.unitsTotal, 'unit')} checked`)

    waits.hidden = row.waitsFor === null
    const [, says = '', named] = /^(.*?)(?:: (gaffer .*))?$/s.exec(row.waitsFor ?? '') ?? []
    const blocked = row.state === 'blocked'
    const command = named ?? (blocked ? `gaffer answer ${row.id}` : '')
    write(waitsText, blocked ? says.charAt(0).toUpperCase() + says.slice(1) : `Waits for ${says}`)
    write(waitsCommand, command)
    waitsCommand.hidden = command === ''

    const line = finished.has(row.state) ? undefined : latest.get(row.id)
    last.hidden = line === undefined
    write(last, line ?? '')
  }

  function ago(iso) {
    const seconds = Math.max(0, (Date.now() - Date.parse(iso)) / 1000)
    if (seconds < 60) return 'just now'
    if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`
    if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`
    return new Date(iso).toLocaleDateString(undefined, { day: 'numeric', month: 'short', year: 'numeric' })
  }

  const groupOf = (row) => (finished.has(row.state) ? 'finished' : row.waitsFor === null ? 'underway' : 'needed')

  function render({ rows, next, counts }) {
    const groups = { needed: [], underway: [], finished: [] }
    for (const row of rows) {
      const parts = shown.get(row.id) ?? makeCard(row.id)
      shown.set(row.id, parts)
      fill(parts, row)
      groups[groupOf(row)].push(parts.card)
    }
    const here = new Set(rows.map(({ id }) => id))
    for (const [id, { card }] of shown) {
      if (here.has(id)) continue
      card.remove()
      shown.delete(id)
    }
    for (const [name, cards] of Object.entries(groups)) place(at(name), cards)

    const total = Object.values(counts).reduce((sum, count) => sum + count, 0)
    at('empty').hidden = total > 0
    at('more').hidden = next === null
    write(at('more'), `The ${rows.length} that changed last are shown, of ${total}. All of them: gaffer status`)
    const needed = groups.needed.length
    write(
      at('summary'),
      total === 0
        ? ''
        : `${needed === 0 ? 'Nothing waits for a person' : `${needed} ${needed === 1 ? 'waits' : 'wait'} for a person`}, ${counts.landed} landed`,
    )
    document.title = needed === 0 ? 'Gaffer' : `(${needed}) Gaffer`
  }

  // Moves only what has moved, so that nothing flickers and the reader keeps their place.
  function place(section, cards) {
    const list = section.querySelector('ul')
    for (const [index, card] of cards.entries())
      if (list.children[index] !== card) list.insertBefore(card, list.children[index] ?? null)
    section.hidden = cards.length === 0
    write(section.querySelector('.count'), String(cards.length))
  }

  function happened(stored) {
    const task = stored.stream.replace(/^task\//, '')
    const list = at('happened').querySelector('ol')
    for (const line of stored.lines) {
      if (line.mark === 'unit') continue
      const said = [line.subject, line.text].filter(Boolean).join('  ')
      const item = element('li', line.tone)
      const time = element('time', '', new Date(stored.at).toLocaleTimeString(undefined, { hour12: false }))
      time.dateTime = stored.at
      const text = element('span', 'text', said === task ? '' : `${said} `)
      if (line.subject !== task) text.append(element('span', 'where', task))
      item.append(time, element('span', 'mark', line.mark), text)
      list.prepend(item)
      latest.set(task, `${line.mark} ${said}`)
      if (line.tone !== 'plain') write(at('said'), `${task}: ${line.mark} ${said}`)
    }
    while (list.childElementCount > shownEvents) list.lastElementChild.remove()
    at('happened').hidden = list.childElementCount === 0
  }

  const linkSays = {
    live: 'live',
    lost: 'connection lost, trying again',
    locked: 'this session has ended: run gaffer page',
    waiting: 'connecting',
  }
  function link(state) {
    at('link').dataset.state = state
    write(at('link-says'), linkSays[state])
  }

  let reading = false
  let again = false
  async function read() {
    if (reading) {
      again = true
      return
    }
    reading = true
    do {
      again = false
      try {
        const answer = await fetch(`/api/tasks?limit=${limit}`)
        if (answer.status === 401) link('locked')
        if (answer.ok) render(await answer.json())
      } catch {
        link('lost')
      }
      await new Promise((resolve) => setTimeout(resolve, 120))
    } while (again)
    reading = false
  }

  const stream = new EventSource('/api/stream')
  stream.addEventListener('open', () => {
    link('live')
    void read()
  })
  stream.addEventListener('error', () => link('lost'))
  stream.addEventListener('task', (event) => {
    happened(JSON.parse(event.data))
    void read()
  })
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) void read()
  })
  setInterval(() => void read(), 60_000)
  void read()
})()
