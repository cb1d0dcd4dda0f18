-- This migration inserted the factory and three products until the release before. Now setup stores
-- the catalogue that the stage's settings name, so no stage gets products that its shop does not
-- sell. A database that ran the migration keeps its rows: goose stores only the numbers of
-- migrations, so it does not run this one again.
--   https://github.com/pressly/goose/blob/v3.27.0/internal/dialects/mysql.go
--
-- The file stays, and does nothing: databases know its number.
-- +goose NO TRANSACTION

-- +goose Up
SELECT 1;

-- +goose Down
SELECT 1;
