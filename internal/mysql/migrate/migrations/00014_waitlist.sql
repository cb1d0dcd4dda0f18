-- A buyer of a sold-out product can wait for it. A row is one place on the product's waitlist, and
-- its own outbox: the transaction that books more stock answers it, and the buyer's page reads the
-- row until the buyer has seen the answer. Nobody sends a message.
--
-- number       the order of a product's entries
-- expires_at   an entry that nobody answered by then is over. The sweep deletes it a day later
-- answered_at  when stock came for the entry; null: it waits
--
-- Every transaction that writes entries of a product has locked the product's bins. So no entry
-- comes while stock comes, and the numbers follow the order of the commits. It changes entries by
-- their primary key, so it locks no other product's entries, and cannot deadlock with its delivery.
--
-- Keys of this table are apart from those of movements.
-- +goose NO TRANSACTION

-- +goose Up
SET SESSION lock_wait_timeout = 10;
CREATE TABLE IF NOT EXISTS waitlist (
    entry_id        BINARY(16)   NOT NULL,
    product_id      BINARY(16)   NOT NULL,
    number          BIGINT       NOT NULL,
    idempotency_key VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NULL,
    joined_at       DATETIME(6)  NOT NULL,
    expires_at      DATETIME(6)  NOT NULL,
    answered_at     DATETIME(6)  NULL,
    PRIMARY KEY (entry_id),
    UNIQUE KEY waitlist_number (product_id, number),
    UNIQUE KEY waitlist_idempotency_key (idempotency_key),
    KEY waitlist_waiting (product_id, answered_at, number, expires_at),
    KEY waitlist_expires (expires_at),
    CONSTRAINT waitlist_product FOREIGN KEY (product_id) REFERENCES product (product_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

-- +goose Down
DROP TABLE IF EXISTS waitlist;
