-- Read model of all tasks, made from their events; `gaffer rebuild` makes it again. `task` is the folded task.
create table gaffer.tasks (
  id text collate "C" primary key,
  title text not null,
  state text not null,
  owner text not null,
  agent text not null,
  units_done integer not null,
  units_total integer not null,
  waits_for text,
  opened_at text not null,
  changed_at text not null,
  position bigint not null,
  version integer not null,
  task text not null
);

create index tasks_by_change on gaffer.tasks (position desc);
create index tasks_by_state on gaffer.tasks (state, position desc);

-- True counts without counting.
create table gaffer.task_counts (
  state text primary key,
  number bigint not null
);
