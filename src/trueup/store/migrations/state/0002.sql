-- What the policy remembers of a target, incidents, the outbox, silences, heartbeats, people.
alter table verdict add column memory text not null default '{{}}';
create table incident (
    id bigint not null primary key,
    target text not null,
    tier integer not null,
    state text not null,
    summary text not null,
    opened_at text not null,
    confirmed_at text,
    closed_at text,
    layer text,
    cause text,
    blame text,
    next text not null,
    acknowledged_by text,
    acknowledged_at text,
    held_by text
);
create index incident_of_target on incident (target, id);
create index incident_open on incident (id) where closed_at is null;
create table happening (
    number {number},
    incident bigint not null,
    at text not null,
    what text not null,
    unique (incident, at, what)
);
create table notification (
    alert_id text not null,
    channel text not null,
    incident bigint not null,
    event text not null,
    alert text not null,
    seq bigint not null,
    due_at text not null,
    delivery text not null,
    attempts integer not null,
    is_repeat boolean not null,
    sent_at text,
    result text not null,
    primary key (alert_id, channel)
);
create index notification_of_incident on notification (incident);
create index notification_undelivered on notification (delivery)
    where delivery in ('waiting', 'sending', 'dead');
create table silence (
    id bigint not null primary key,
    targets text not null,
    from_at text not null,
    until_at text not null,
    author text not null,
    why text not null,
    planned boolean not null
);
create table beat (
    target text not null primary key,
    reported_at text not null,
    kind text not null,
    detail text not null,
    started_at text,
    took_s double precision
);
create table setting (
    name text not null primary key,
    value text not null
);
create table account (
    name text not null primary key,
    role text not null,
    password_hash text not null,
    changed_at text not null
);
create table session (
    hash text not null primary key,
    name text not null,
    role text not null,
    began_at text not null,
    seen_at text not null
);
