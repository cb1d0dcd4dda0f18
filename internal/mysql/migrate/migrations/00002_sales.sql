-- +goose NO TRANSACTION

-- +goose Up
-- Sales and the ledger are written while the product's row is locked, thousands a second: they have no foreign key to it, which
-- would look the row up again for each. Products are not deleted.

-- stock_left is what was on hand after the sale: a repeated request gets the first one's answer.
CREATE TABLE IF NOT EXISTS sale (
    sale_id         BINARY(16)   NOT NULL,
    product_id      BINARY(16)   NOT NULL,
    quantity        INT          NOT NULL,
    unit_price      BIGINT       NOT NULL,
    stock_left      BIGINT       NOT NULL,
    idempotency_key VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NULL,
    sold_at         DATETIME(6)  NOT NULL,
    PRIMARY KEY (sale_id),
    UNIQUE KEY sale_idempotency_key (idempotency_key),
    CONSTRAINT sale_quantity_is_positive CHECK (quantity > 0)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

-- An adjustment sets the stock right after a stocktake.
CREATE TABLE IF NOT EXISTS adjustment (
    adjustment_id   BINARY(16)   NOT NULL,
    product_id      BINARY(16)   NOT NULL,
    quantity        INT          NOT NULL,
    reason          VARCHAR(255) NOT NULL,
    stock_left      BIGINT       NOT NULL,
    idempotency_key VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NULL,
    adjusted_at     DATETIME(6)  NOT NULL,
    PRIMARY KEY (adjustment_id),
    UNIQUE KEY adjustment_idempotency_key (idempotency_key),
    CONSTRAINT adjustment_changes_something CHECK (quantity <> 0)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

-- Up to which id the idempotency keys of a table were forgotten. Ids are UUIDv7, which sort by time: what is next to forget is found
-- by the primary key, and sales need no index of their time.
CREATE TABLE IF NOT EXISTS forgotten_keys (
    kept_in VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    up_to   BINARY(16)  NOT NULL,
    PRIMARY KEY (kept_in)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

-- The stock ledger only grows, and the sum of a product's quantities is its stock.
-- reference is the sale, the attempt or the adjustment that caused an entry.
CREATE TABLE IF NOT EXISTS stock_ledger (
    entry_id    BIGINT      NOT NULL AUTO_INCREMENT,
    product_id  BINARY(16)  NOT NULL,
    quantity    BIGINT      NOT NULL,
    cause       VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    reference   BINARY(16)  NULL,
    recorded_at DATETIME(6) NOT NULL,
    PRIMARY KEY (entry_id),
    KEY stock_ledger_product (product_id, entry_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

-- Up to which entry a product's ledger was found to add up to its stock: what comes after is all that is left to add up.
CREATE TABLE IF NOT EXISTS ledger_checkpoint (
    product_id BINARY(16) NOT NULL,
    entry_id   BIGINT     NOT NULL,
    balance    BIGINT     NOT NULL,
    PRIMARY KEY (product_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

-- +goose Down
DROP TABLE IF EXISTS ledger_checkpoint;
DROP TABLE IF EXISTS stock_ledger;
DROP TABLE IF EXISTS forgotten_keys;
DROP TABLE IF EXISTS adjustment;
DROP TABLE IF EXISTS sale;
