-- Who may do what in the market's database. psql runs it in a new database, as somebody who may make
-- roles; the passwords come from the environment, and so are on no command line. Run again, it gives
-- back what went when the database was emptied, whether the tables are there again or not.
--
-- picky_owner owns the tables: migrations, backups and restores are its. picky reads and writes
-- rows, which is all that the processes do.

\set ON_ERROR_STOP on
\getenv owner_password DATABASE_OWNER_PASSWORD
\getenv password DATABASE_PASSWORD

-- The roles are the server's, which may have them from another database.
SELECT format('CREATE ROLE %I', wanted) FROM unnest(ARRAY['picky_owner', 'picky']) AS wanted
    WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) \gexec
ALTER ROLE picky_owner LOGIN PASSWORD :'owner_password';
ALTER ROLE picky LOGIN PASSWORD :'password';
GRANT picky_owner TO CURRENT_USER;

ALTER DATABASE :"DBNAME" OWNER TO picky_owner;
REVOKE ALL ON DATABASE :"DBNAME" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"DBNAME" TO picky;

-- As a new database has it.
CREATE SCHEMA IF NOT EXISTS public;
ALTER SCHEMA public OWNER TO pg_database_owner;
GRANT USAGE ON SCHEMA public TO picky;

-- What is there, and what will be.
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO picky;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO picky;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO picky;
ALTER DEFAULT PRIVILEGES FOR ROLE picky_owner
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO picky;
ALTER DEFAULT PRIVILEGES FOR ROLE picky_owner
    GRANT USAGE, SELECT ON SEQUENCES TO picky;
ALTER DEFAULT PRIVILEGES FOR ROLE picky_owner
    REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE picky_owner
    GRANT EXECUTE ON FUNCTIONS TO picky;
