-- Processes that run workflows, and when each was last heard of; the rules are in flow/recovery.ts.
create table gaffer.executors (
  id text primary key,
  seen_at timestamptz not null default now()
);
