-- Run by the image of Postgres, with psql and as its administrator, once: when the volume is empty.
\getenv owner_password BELREF_OWNER_PASSWORD
\getenv service_password BELREF_DB_PASSWORD

-- Migrations run as the owner. It makes no roles, so the one that migrations give rights to is made here.
CREATE ROLE belref_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE belref_service NOLOGIN;
CREATE ROLE belref_api LOGIN PASSWORD :'service_password' IN ROLE belref_service;

CREATE DATABASE belref OWNER belref_owner;
REVOKE ALL ON DATABASE belref, postgres, template1 FROM PUBLIC;
GRANT CONNECT ON DATABASE belref TO belref_service;
