-- An archived product is no longer listed, sold or ordered. It has no stock and no open order, and
-- is not automatic. So the procedures that sell and order need not know of it. Stock that comes all
-- the same, from a late delivery or a count, puts the product on sale again.
--
-- archived_at    null: the product is not archived
-- was_automatic  the value of automatic before the product was archived, for an undo
-- names          the product's names in other languages, by the language's tag: {"en": "Twist"}.
--                Null: it has none
-- +goose NO TRANSACTION

-- +goose Up
SET SESSION lock_wait_timeout = 10;
ALTER TABLE product
    ADD COLUMN IF NOT EXISTS archived_at DATETIME(6) NULL,
    ADD COLUMN IF NOT EXISTS was_automatic BOOLEAN NOT NULL DEFAULT FALSE,
    ADD COLUMN IF NOT EXISTS names JSON NULL;

-- +goose Down
ALTER TABLE product
    DROP COLUMN IF EXISTS archived_at,
    DROP COLUMN IF EXISTS was_automatic,
    DROP COLUMN IF EXISTS names;
