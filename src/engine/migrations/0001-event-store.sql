-- Append-only streams; the rules are in event-store.ts. Names sort by bytes, whatever the database's own collation.
create table gaffer.streams (
  stream text collate "C" primary key,
  version integer not null,
  -- Hash of the newest event: a stream cut short behind our back is found too.
  head text not null
);

create table gaffer.events (
  position bigint generated always as identity primary key,
  stream text collate "C" not null,
  version integer not null,
  command_id text collate "C" not null,
  actor text not null,
  -- ISO 8601 as it was given: the hash covers this spelling.
  at text not null,
  -- Canonical JSON, never jsonb, which would respell numbers and refuse NUL.
  body text not null,
  hash text not null,
  unique (stream, version)
);

create index events_by_command on gaffer.events (stream, command_id);

-- Outbox: workflows to wake, written with the events that are their reason.
create table gaffer.wakes (
  id bigint generated always as identity primary key,
  workflow text not null
);
