-- +goose NO TRANSACTION

-- +goose Up
-- At most one open production order a product: open_product_id is the product's id while the order is open, and unique.
-- published_at is the outbox's mark: null until the message was sent. correlation is the id of the buyer's request that opened the order.
CREATE TABLE IF NOT EXISTS production_order (
    production_order_id BINARY(16)  NOT NULL,
    product_id          BINARY(16)  NOT NULL,
    quantity            INT         NOT NULL,
    received            BIGINT      NOT NULL DEFAULT 0,
    status              VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT 'open',
    opened_at           DATETIME(6) NOT NULL,
    published_at        DATETIME(6) NULL,
    correlation         VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',
    open_product_id     BINARY(16)  GENERATED ALWAYS AS (CASE WHEN status = 'open' THEN product_id END) STORED,
    PRIMARY KEY (production_order_id),
    UNIQUE KEY production_order_open (open_product_id),
    KEY production_order_unpublished (published_at, opened_at),
    CONSTRAINT production_order_product FOREIGN KEY (product_id) REFERENCES product (product_id),
    CONSTRAINT production_order_quantity_is_positive CHECK (quantity > 0),
    CONSTRAINT production_order_status_is_known CHECK (status IN ('open', 'received'))
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

-- An attempt is booked once, however often the factory tells of it: it is the key.
CREATE TABLE IF NOT EXISTS goods_receipt (
    attempt_id          BINARY(16)  NOT NULL,
    production_order_id BINARY(16)  NOT NULL,
    quantity            INT         NOT NULL,
    stock_left          BIGINT      NOT NULL,
    received_at         DATETIME(6) NOT NULL,
    PRIMARY KEY (attempt_id),
    CONSTRAINT goods_receipt_order FOREIGN KEY (production_order_id) REFERENCES production_order (production_order_id),
    CONSTRAINT goods_receipt_quantity_is_positive CHECK (quantity > 0)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

-- +goose Down
DROP TABLE IF EXISTS goods_receipt;
DROP TABLE IF EXISTS production_order;
