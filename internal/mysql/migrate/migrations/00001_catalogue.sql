-- MySQL's DDL commits by itself: every statement of a migration can be run again after one that stopped half-way.
-- +goose NO TRANSACTION

-- +goose Up
CREATE TABLE IF NOT EXISTS factory (
    factory_id    BINARY(16)   NOT NULL,
    identifier    VARCHAR(64)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    name          VARCHAR(255) NOT NULL,
    manager_email VARCHAR(255) NOT NULL,
    api           VARCHAR(255) NOT NULL,
    PRIMARY KEY (factory_id),
    UNIQUE KEY factory_identifier (identifier),
    UNIQUE KEY factory_name (name)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

CREATE TABLE IF NOT EXISTS advertisement (
    ad_id         BINARY(16)   NOT NULL,
    status        VARCHAR(32)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    manager_email VARCHAR(255) NOT NULL,
    PRIMARY KEY (ad_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

-- price is in the currency's minor unit; stock is what is on hand.
CREATE TABLE IF NOT EXISTS product (
    product_id    BINARY(16)   NOT NULL,
    sku           VARCHAR(64)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    name          VARCHAR(255) NOT NULL,
    price         BIGINT       NOT NULL,
    stock         BIGINT       NOT NULL,
    factory_id    BINARY(16)   NOT NULL,
    ad_id         BINARY(16)   NULL,
    reorder_point INT          NOT NULL,
    order_up_to   INT          NOT NULL,
    lot_size      INT          NOT NULL,
    PRIMARY KEY (product_id),
    UNIQUE KEY product_sku (sku),
    UNIQUE KEY product_name (name),
    CONSTRAINT product_factory FOREIGN KEY (factory_id) REFERENCES factory (factory_id),
    CONSTRAINT product_advertisement FOREIGN KEY (ad_id) REFERENCES advertisement (ad_id),
    CONSTRAINT product_price_is_not_negative CHECK (price >= 0),
    CONSTRAINT product_stock_is_not_negative CHECK (stock >= 0),
    CONSTRAINT product_lot_is_positive CHECK (lot_size > 0)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

-- +goose Down
DROP TABLE IF EXISTS product;
DROP TABLE IF EXISTS advertisement;
DROP TABLE IF EXISTS factory;
