-- Verdicts that stand from earlier runs, by a key over everything that was read.
create table gaffer.verdicts (
  key text collate "C" primary key,
  verdict text not null,
  created_at timestamptz not null default now()
);
