-- As trueup 0.1 made them.
create table if not exists verdict (
    target text not null primary key,
    state text not null,
    since text not null,
    observed_at text not null,
    document text not null
){keyed};
create table if not exists token (
    id text not null primary key,
    scope text not null,
    hash text not null unique,
    created_at text not null,
    used_at text,
    revoked_at text
){keyed};
create table if not exists agent (
    host text not null primary key,
    public_key {bytes} not null,
    token_id text not null,
    enrolled_at text not null,
    sequence bigint not null default 0
){keyed};
