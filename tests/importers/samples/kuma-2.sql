-- The tables of Uptime Kuma 2.x that hold its configuration, as its migrations leave them in SQLite.
CREATE TABLE docker_host (id integer PRIMARY KEY AUTOINCREMENT NOT NULL, user_id integer NOT NULL,
  docker_daemon varchar(255), docker_type varchar(255), name varchar(255));
CREATE TABLE `group` (id integer PRIMARY KEY AUTOINCREMENT NOT NULL, name varchar(255) NOT NULL,
  created_date datetime NOT NULL DEFAULT CURRENT_TIMESTAMP, public boolean NOT NULL DEFAULT 0,
  active boolean NOT NULL DEFAULT 1, weight integer NOT NULL DEFAULT 1000, status_page_id integer);
CREATE TABLE proxy (id integer PRIMARY KEY AUTOINCREMENT NOT NULL, user_id integer NOT NULL,
  protocol varchar(10) NOT NULL, host varchar(255) NOT NULL, port integer NOT NULL, auth boolean NOT NULL,
  username varchar(255), password varchar(255), active boolean NOT NULL DEFAULT 1,
  `default` boolean NOT NULL DEFAULT 0, created_date datetime NOT NULL DEFAULT CURRENT_TIMESTAMP);
CREATE TABLE monitor (id integer PRIMARY KEY AUTOINCREMENT NOT NULL, name varchar(150),
  active boolean NOT NULL DEFAULT 1, user_id integer, interval integer NOT NULL DEFAULT 20, url text,
  type varchar(20), weight integer DEFAULT 2000, hostname varchar(255), port integer,
  created_date datetime NOT NULL DEFAULT CURRENT_TIMESTAMP, keyword varchar(255),
  maxretries integer NOT NULL DEFAULT 0, ignore_tls boolean NOT NULL DEFAULT 0,
  upside_down boolean NOT NULL DEFAULT 0, maxredirects integer NOT NULL DEFAULT 10,
  accepted_statuscodes_json text NOT NULL DEFAULT '["200-299"]', dns_resolve_type varchar(5),
  dns_resolve_server varchar(255), dns_last_result varchar(255), retry_interval integer NOT NULL DEFAULT 0,
  push_token varchar(32) DEFAULT NULL, method text NOT NULL DEFAULT 'GET', body text DEFAULT NULL,
  headers text DEFAULT NULL, basic_auth_user text DEFAULT NULL, basic_auth_pass text DEFAULT NULL,
  docker_host integer, docker_container varchar(255), proxy_id integer,
  expiry_notification boolean DEFAULT 1, mqtt_topic text, mqtt_success_message varchar(255),
  mqtt_username varchar(255), mqtt_password varchar(255), database_connection_string varchar(2000),
  database_query text, auth_method varchar(250), auth_domain text, auth_workstation text,
  grpc_url varchar(255) DEFAULT NULL, grpc_protobuf text DEFAULT NULL, grpc_body text DEFAULT NULL,
  grpc_metadata text DEFAULT NULL, grpc_method text DEFAULT NULL, grpc_service_name text DEFAULT NULL,
  grpc_enable_tls boolean NOT NULL DEFAULT 0, radius_username varchar(255), radius_password varchar(255),
  radius_calling_station_id varchar(50), radius_called_station_id varchar(50), radius_secret varchar(255),
  resend_interval integer NOT NULL DEFAULT 0, packet_size integer NOT NULL DEFAULT 56, game varchar(255),
  http_body_encoding varchar(25), description text DEFAULT NULL, tls_ca text DEFAULT NULL,
  tls_cert text DEFAULT NULL, tls_key text DEFAULT NULL, parent integer, invert_keyword boolean NOT NULL DEFAULT 0,
  json_path text, expected_value varchar(255), kafka_producer_topic varchar(255), kafka_producer_brokers text,
  kafka_producer_sasl_options text, kafka_producer_message text, kafka_producer_ssl boolean NOT NULL DEFAULT 0,
  kafka_producer_allow_auto_topic_creation boolean NOT NULL DEFAULT 0, oauth_client_id text DEFAULT NULL,
  oauth_client_secret text DEFAULT NULL, oauth_token_url text DEFAULT NULL, oauth_scopes text DEFAULT NULL,
  oauth_auth_method text DEFAULT NULL, timeout double NOT NULL DEFAULT 0,
  gamedig_given_port_only boolean NOT NULL DEFAULT 1, mqtt_check_type varchar(255) NOT NULL DEFAULT 'keyword',
  remote_browser integer, snmp_oid varchar(255) DEFAULT NULL, snmp_version varchar(3) DEFAULT '2c',
  json_path_operator varchar(255) DEFAULT NULL, cache_bust boolean NOT NULL DEFAULT 0,
  conditions text NOT NULL DEFAULT '[]', rabbitmq_nodes text, rabbitmq_username varchar(255),
  rabbitmq_password varchar(255), smtp_security varchar(255) DEFAULT NULL, ping_count integer NOT NULL DEFAULT 1,
  ping_numeric boolean NOT NULL DEFAULT 1, ping_per_request_timeout integer NOT NULL DEFAULT 2,
  manual_status integer DEFAULT NULL, ip_family varchar(4) DEFAULT NULL, oauth_audience text DEFAULT NULL,
  system_service_name varchar(255));
CREATE TABLE heartbeat (id integer PRIMARY KEY AUTOINCREMENT NOT NULL, important boolean NOT NULL DEFAULT 0,
  monitor_id integer NOT NULL, status smallint NOT NULL, msg text, time datetime NOT NULL, ping integer,
  duration integer NOT NULL DEFAULT 0, down_count integer NOT NULL DEFAULT 0, end_time datetime, retries integer NOT NULL DEFAULT 0);
CREATE TABLE maintenance (id integer PRIMARY KEY AUTOINCREMENT NOT NULL, title varchar(150) NOT NULL,
  description text NOT NULL, user_id integer, active boolean NOT NULL DEFAULT 1,
  strategy varchar(50) NOT NULL DEFAULT 'single', start_date datetime, end_date datetime, start_time time,
  end_time time, weekdays varchar(250) DEFAULT '[]', days_of_month text DEFAULT '[]', interval_day integer,
  cron text, timezone varchar(255), duration integer);
CREATE TABLE monitor_maintenance (id integer PRIMARY KEY AUTOINCREMENT NOT NULL, monitor_id integer NOT NULL,
  maintenance_id integer NOT NULL);
CREATE TABLE status_page (id integer PRIMARY KEY AUTOINCREMENT NOT NULL, slug varchar(255) NOT NULL UNIQUE,
  title varchar(255) NOT NULL, description text, icon varchar(255) NOT NULL, theme varchar(30) NOT NULL,
  published boolean NOT NULL DEFAULT 1, search_engine_index boolean NOT NULL DEFAULT 1,
  show_tags boolean NOT NULL DEFAULT 0, password varchar(255));
CREATE TABLE monitor_group (id integer PRIMARY KEY AUTOINCREMENT NOT NULL, monitor_id integer NOT NULL,
  group_id integer NOT NULL, weight integer NOT NULL DEFAULT 1000, send_url boolean NOT NULL DEFAULT 0, custom_url text);
CREATE TABLE notification (id integer PRIMARY KEY AUTOINCREMENT NOT NULL, name varchar(255),
  active boolean NOT NULL DEFAULT 1, user_id integer, is_default boolean NOT NULL DEFAULT 0, config longtext);
CREATE TABLE monitor_notification (id integer PRIMARY KEY AUTOINCREMENT NOT NULL, monitor_id integer NOT NULL,
  notification_id integer NOT NULL);
CREATE TABLE tag (id integer PRIMARY KEY AUTOINCREMENT NOT NULL, name varchar(255) NOT NULL,
  color varchar(255) NOT NULL, created_date datetime NOT NULL DEFAULT CURRENT_TIMESTAMP);
CREATE TABLE monitor_tag (id integer PRIMARY KEY AUTOINCREMENT NOT NULL, monitor_id integer NOT NULL,
  tag_id integer NOT NULL, value text);
CREATE TABLE setting (id integer PRIMARY KEY AUTOINCREMENT NOT NULL, key varchar(200) NOT NULL UNIQUE, value text, type varchar(20));

INSERT INTO setting (key, value, type) VALUES ('serverTimezone', '"Europe/Berlin"', 'general');
INSERT INTO proxy (id, user_id, protocol, host, port, auth) VALUES (1, 1, 'http', 'proxy.internal', 3128, 0);
INSERT INTO monitor (id, name, type, interval, maxretries, retry_interval, timeout) VALUES (1, 'Shop', 'group', 60, 0, 60, 48);
INSERT INTO monitor (id, name, type, interval, maxretries, retry_interval, timeout, url, parent, headers, accepted_statuscodes_json, proxy_id)
  VALUES (2, 'Shop page', 'http', 60, 2, 30, 48, 'https://shop.example/', 1, '{"X-Api-Key": "s3cr3t-key"}', '["200","204"]', 1);
INSERT INTO monitor (id, name, type, interval, maxretries, retry_interval, timeout, hostname, port)
  VALUES (3, 'DB port', 'port', 60, 0, 60, 48, 'db.internal', 5432);
INSERT INTO monitor (id, name, type, interval, maxretries, retry_interval, timeout, database_connection_string, database_query)
  VALUES (4, 'DB', 'postgres', 60, 0, 60, 48, 'postgres://monitor:s3cr3t-pg@db.internal/shop', 'SELECT 1');
INSERT INTO monitor (id, name, type, interval, maxretries, retry_interval, push_token) VALUES (5, 'Nightly', 'push', 86400, 0, 60, 's3cr3tpush');
INSERT INTO monitor (id, name, type, interval, maxretries, retry_interval, rabbitmq_nodes, rabbitmq_username, rabbitmq_password)
  VALUES (6, 'Queue', 'rabbitmq', 60, 0, 60, '["https://rabbit.internal:15671"]', 'monitor', 's3cr3t-rabbit');
INSERT INTO monitor (id, name, type, interval, maxretries, retry_interval, kafka_producer_brokers, kafka_producer_topic, kafka_producer_ssl, kafka_producer_sasl_options)
  VALUES (7, 'Events', 'kafka-producer', 60, 0, 60, '["kafka.internal:9093"]', 'events', 1, '{"mechanism":"plain","username":"probe","password":"s3cr3t-kafka"}');
INSERT INTO monitor (id, name, type, interval, maxretries, retry_interval, hostname, port, upside_down)
  VALUES (8, 'Closed from here', 'port', 60, 0, 60, 'shop.example', 6379, 1);
INSERT INTO monitor (id, name, type, interval, url, json_path, json_path_operator, expected_value)
  VALUES (9, 'Version', 'json-query', 60, 'https://api.shop.example/version', '$.build', '>=', '4');
INSERT INTO monitor (id, name, type, interval, hostname, port, smtp_security) VALUES (10, 'Mail', 'smtp', 60, 'mail.example', 465, 'secure');
INSERT INTO monitor (id, name, type, interval, system_service_name) VALUES (11, 'nginx', 'system-service', 60, 'nginx');
INSERT INTO notification (id, name, config) VALUES
  (1, 'Ops', '{"type":"gotify","gotifyserverurl":"https://gotify.example","gotifyapplicationToken":"s3cr3t-gotify"}'),
  (2, 'On call', '{"type":"pushover","pushoveruserkey":"s3cr3tuser","pushoverapptoken":"s3cr3tapp"}');
INSERT INTO monitor_notification (monitor_id, notification_id) VALUES (2, 1), (2, 2), (3, 1), (4, 1), (5, 1), (6, 1), (7, 1), (8, 1), (9, 1), (10, 1);
INSERT INTO tag (id, name, color) VALUES (1, 'env', '#059669'), (2, 'data', '#059669');
INSERT INTO monitor_tag (monitor_id, tag_id, value) VALUES (2, 1, 'prod'), (3, 2, ''), (4, 1, 'prod');
INSERT INTO maintenance (id, title, description, strategy, start_date, end_date, timezone) VALUES
  (1, 'Move', '', 'single', '2026-12-01 22:00:00', '2026-12-02 00:30:00', 'SAME_AS_SERVER');
INSERT INTO maintenance (id, title, description, strategy, start_time, end_time, weekdays, timezone, cron, duration) VALUES
  (2, 'Patch day', '', 'recurring-weekday', '22:00', '01:00', '[2,0]', 'UTC', '0 22 * * 2,0', 10800),
  (3, 'Backup', '', 'cron', NULL, NULL, '[]', 'UTC', '30 3 * * *', 1800),
  (4, 'By hand', '', 'manual', NULL, NULL, '[]', NULL, NULL, NULL);
INSERT INTO maintenance (id, title, description, strategy, start_time, end_time, days_of_month, timezone) VALUES
  (5, 'Invoices', '', 'recurring-day-of-month', '06:00', '07:00', '[1,15]', 'UTC'),
  (6, 'Closing', '', 'recurring-day-of-month', '06:00', '07:00', '["lastDay1"]', 'UTC');
INSERT INTO monitor_maintenance (monitor_id, maintenance_id) VALUES (2, 1), (4, 2), (3, 3), (2, 4), (2, 5), (2, 6);
INSERT INTO status_page (id, slug, title, icon, theme) VALUES (1, 'shop', 'Shop status', '/icon.svg', 'auto');
INSERT INTO `group` (id, name, weight, status_page_id) VALUES (1, 'Shop', 1, 1), (2, 'Data', 2, 1);
INSERT INTO monitor_group (monitor_id, group_id, weight) VALUES (2, 1, 1), (4, 2, 1), (3, 2, 2), (5, 2, 3);
