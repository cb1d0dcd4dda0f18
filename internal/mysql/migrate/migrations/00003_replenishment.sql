-- +goose NO TRANSACTION

-- +goose Up
-- At most one open production order a product: open_product_id is the product's id while the order is open, and unique.
-- published_at is the outbox's mark: null until the message was sent. asked_at is when somebody last claimed to send it, asks how often
-- the factory was asked in all. correlation is the id of the request that opened the order.
CREATE TABLE IF NOT EXISTS production_order (
    production_order_id BINARY(16)  NOT NULL,
    product_id          BINARY(16)  NOT NULL,
    factory_id          BINARY(16)  NOT NULL,
    quantity            INT         NOT NULL,
    received            BIGINT      NOT NULL DEFAULT 0,
    status              VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT 'open',
    asks                INT         NOT NULL DEFAULT 1,
    opened_at           DATETIME(6) NOT NULL,
    asked_at            DATETIME(6) NOT NULL,
    published_at        DATETIME(6) NULL,
    closed_at           DATETIME(6) NULL,
    correlation         VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',
    open_product_id     BINARY(16)  GENERATED ALWAYS AS (CASE WHEN status = 'open' THEN product_id END) STORED,
    PRIMARY KEY (production_order_id),
    UNIQUE KEY production_order_open (open_product_id),
    KEY production_order_product (product_id, production_order_id),
    CONSTRAINT production_order_product FOREIGN KEY (product_id) REFERENCES product (product_id),
    CONSTRAINT production_order_factory FOREIGN KEY (factory_id) REFERENCES factory (factory_id),
    CONSTRAINT production_order_quantity_is_positive CHECK (quantity > 0),
    CONSTRAINT production_order_status_is_known CHECK (status IN ('open', 'received', 'short', 'failed', 'cancelled')),
    CONSTRAINT production_order_is_open_or_closed CHECK ((status = 'open') = (closed_at IS NULL))
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

-- What people have to be told, stored in the transaction that makes it so, and told after. subject_id is the production order, or the
-- attempt of a receipt. due_at is when to tell, or when somebody else takes over from who has claimed to; null: people were told.
CREATE TABLE IF NOT EXISTS notice (
    kind                VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    subject_id          BINARY(16)  NOT NULL,
    production_order_id BINARY(16)  NOT NULL,
    quantity            BIGINT      NOT NULL,
    raised_at           DATETIME(6) NOT NULL,
    due_at              DATETIME(6) NULL,
    told_at             DATETIME(6) NULL,
    PRIMARY KEY (kind, subject_id),
    KEY notice_due (due_at),
    CONSTRAINT notice_order FOREIGN KEY (production_order_id) REFERENCES production_order (production_order_id),
    CONSTRAINT notice_is_due_or_told CHECK ((due_at IS NULL) = (told_at IS NOT NULL))
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

-- +goose Down
DROP TABLE IF EXISTS notice;
DROP TABLE IF EXISTS goods_receipt;
DROP TABLE IF EXISTS production_order;
