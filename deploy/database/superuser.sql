-- The superuser is for this machine alone: who has no password comes from nowhere else.
ALTER ROLE CURRENT_USER PASSWORD NULL;
