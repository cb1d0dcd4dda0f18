-- The factory's callback may come early with less than was made: whoever knows its URL can send it. A
-- later callback of the same attempt with more corrects the receipt. Such a booking raises notices of
-- its own, so its subject_id is an id of its own, and attempt_id says which attempt it belongs to.
-- Null: the notice is of a production order, or code of the version before has raised it; subject_id
-- says which.
--
-- The procedure receive_goods is not called any more: a delivery is a transaction of the function. Code
-- of the version before still calls it, so the next release may drop it, and the right to call it.
--
-- A statement waits 10 s at most for transactions that use the table, because all others wait behind it.
-- A migration that fails can be run again. (IF NOT EXISTS is MariaDB's.)
-- +goose NO TRANSACTION

-- +goose Up
SET SESSION lock_wait_timeout = 10;
ALTER TABLE notice ADD COLUMN IF NOT EXISTS attempt_id BINARY(16) NULL;

-- +goose Down
ALTER TABLE notice DROP COLUMN IF EXISTS attempt_id;
