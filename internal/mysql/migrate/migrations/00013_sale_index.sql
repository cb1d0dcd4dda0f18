-- A buyer reads a sale by its id. The index finds the sale's movement. Each sale writes one more
-- entry into it. The ids sort by time, so the entry is one of the last.
--
-- The shop sells while MariaDB builds the index: LOCK = NONE fails if it cannot.
-- +goose NO TRANSACTION

-- +goose Up
SET SESSION lock_wait_timeout = 10;
ALTER TABLE movement ADD KEY IF NOT EXISTS movement_reference (reference), ALGORITHM = INPLACE, LOCK = NONE;

-- +goose Down
ALTER TABLE movement DROP KEY IF EXISTS movement_reference;
