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

-- price is in the currency's minor unit; stock is what is on hand; max_per_sale 0 is no limit. The policy: lead_time is in seconds;
-- automatic says whether production orders open by themselves.
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
    minimum_order INT          NOT NULL DEFAULT 0,
    lead_time     INT          NOT NULL DEFAULT 60,
    automatic     BOOLEAN      NOT NULL DEFAULT TRUE,
    max_per_sale  INT          NOT NULL DEFAULT 0,
    PRIMARY KEY (product_id),
    UNIQUE KEY product_sku (sku),
    UNIQUE KEY product_name (name),
    CONSTRAINT product_factory FOREIGN KEY (factory_id) REFERENCES factory (factory_id),
    CONSTRAINT product_advertisement FOREIGN KEY (ad_id) REFERENCES advertisement (ad_id),
    CONSTRAINT product_price_is_not_negative CHECK (price >= 0),
    CONSTRAINT product_stock_is_not_negative CHECK (stock >= 0),
    CONSTRAINT product_max_per_sale_is_not_negative CHECK (max_per_sale >= 0),
    CONSTRAINT product_policy_has_sense CHECK (reorder_point >= 0 AND order_up_to > reorder_point AND lot_size > 0 AND minimum_order >= 0 AND lead_time > 0)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

-- +goose Down
DROP TABLE IF EXISTS product;
DROP TABLE IF EXISTS advertisement;
DROP TABLE IF EXISTS factory;
