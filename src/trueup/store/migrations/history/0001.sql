-- Results, packed hours of them, and hourly summaries; a target is its number in all three.
create table series (
    id {number},
    target text not null unique
);
create table result (
    series bigint not null,
    at_ms bigint not null,
    state smallint not null,
    port_us bigint,
    tls_us bigint,
    service_us bigint,
    function_us bigint,
    host_us bigint,
    primary key (series, at_ms)
){keyed};
create table packed_hour (
    series bigint not null,
    hour integer not null,
    results {bytes} not null,
    primary key (series, hour)
){keyed};
create index packed_hour_by_age on packed_hour (hour);
create table hourly (
    series bigint not null,
    hour integer not null,
    summary {bytes} not null,
    primary key (series, hour)
){keyed};
create index hourly_by_age on hourly (hour);
