-- This migration adds bins and one ledger. A product's stock lies in one or more rows of the table
-- bin. Every change of a bin's stock is one row of the ledger, the table movement.
--
-- A sale locks one bin from its UPDATE to the commit. With a binary log, a commit waits for the
-- disk, and with Multi-AZ also for the other zone. So one row can be sold from only 100 to 300
-- times a second. Sales from different bins do not wait for each other, and the database flushes
-- their commits together. A product with one bin behaves like a product without bins.
--
-- The migration uses procedures, not triggers. With a binary log, MariaDB lets only users with the
-- privilege SUPER create triggers, and the administrator of RDS does not have it.
--   https://mariadb.com/kb/en/binary-logging-of-stored-routines/
--
-- The migration only adds tables, columns and procedures, so functions of the previous release
-- still work. MariaDB commits each DDL statement by itself, so goose must not use a transaction.
-- +goose NO TRANSACTION

-- +goose Up
SET SESSION lock_wait_timeout = 10;
ALTER TABLE product
    ADD COLUMN IF NOT EXISTS bins TINYINT UNSIGNED NOT NULL DEFAULT 1 CHECK (bins BETWEEN 1 AND 64),
    -- True: a bin may be at its floor, so a sale reads all bins before it locks one. A wrong value
    -- costs time, but never changes the answer to a buyer.
    ADD COLUMN IF NOT EXISTS scarce BOOLEAN NOT NULL DEFAULT TRUE,
    -- When a buyer last waited while all bins were locked. Null: no buyer has waited since the
    -- number of bins was last changed.
    ADD COLUMN IF NOT EXISTS waited_at DATETIME(6) NULL;

-- floor: a sale takes stock from one bin, without reading the others, if the bin keeps floor or
-- more. The floors of a product add up to its reorder point plus one. So while every bin has its
-- floor or more, the product is above its reorder point, and no order is due. If the product has an
-- open order or is not automatic, the floors are 0.
--
-- entries: how many movements the bin has, which is also the number of the last movement.
--
-- A product may have more rows here than it uses. It uses the bins 0 to product.bins - 1, and the
-- others are empty.
CREATE TABLE IF NOT EXISTS bin (
    product_id BINARY(16)       NOT NULL,
    bin        TINYINT UNSIGNED NOT NULL,
    stock      BIGINT           NOT NULL DEFAULT 0,
    floor      BIGINT           NOT NULL DEFAULT 0,
    entries    BIGINT           NOT NULL DEFAULT 0,
    PRIMARY KEY (product_id, bin),
    CONSTRAINT bin_product FOREIGN KEY (product_id) REFERENCES product (product_id),
    CONSTRAINT bin_stock_is_not_negative CHECK (stock >= 0)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

-- The ledger only grows, and is the only record of sales, receipts and adjustments. The sum of a
-- bin's movements is its stock. The numbers of a bin's movements begin at 1 and have no gaps,
-- because a transaction locks the bin before it numbers a movement.
--
-- number           counts the movements of one bin
-- quantity         what the movement adds to the bin; negative if it takes stock
-- cause            opening, sale, receipt, adjustment or spread. A spread moves stock from bin to
--                  bin: its movements add up to 0
-- reference        the id of the sale, of the production order of a receipt, or of the adjustment
-- unit_price       for a sale
-- stock_left       the product's stock after the movement. For a sale it is in the answer to the
--                  buyer, and a repeated request gets the same answer
-- reason           for an adjustment
-- idempotency_key  the key of the request that made a sale or an adjustment. For a receipt it is
--                  "receipt", a tab, and the attempt: clients cannot send tabs
-- correlation      the id of the buyer's request
--
-- A movement has no foreign key to its bin: it would cost every insert another look-up of the bin,
-- and bins are never deleted.
CREATE TABLE IF NOT EXISTS movement (
    product_id      BINARY(16)       NOT NULL,
    bin             TINYINT UNSIGNED NOT NULL,
    number          BIGINT           NOT NULL,
    quantity        BIGINT           NOT NULL,
    cause           VARCHAR(16)      CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    reference       BINARY(16)       NULL,
    unit_price      BIGINT           NULL,
    stock_left      BIGINT           NULL,
    reason          VARCHAR(255)     CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
    idempotency_key VARCHAR(255)     CHARACTER SET ascii COLLATE ascii_bin NULL,
    recorded_at     DATETIME(6)      NOT NULL,
    correlation     VARCHAR(64)      CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',
    PRIMARY KEY (product_id, bin, number),
    UNIQUE KEY movement_idempotency_key (idempotency_key)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

-- The sweep stores here how far it has come in the movements of a bin. The movements up to the
-- number balanced add up to balance. The idempotency keys up to the number forgotten were removed.
CREATE TABLE IF NOT EXISTS bin_checkpoint (
    product_id BINARY(16)       NOT NULL,
    bin        TINYINT UNSIGNED NOT NULL,
    balanced   BIGINT           NOT NULL DEFAULT 0,
    balance    BIGINT           NOT NULL DEFAULT 0,
    forgotten  BIGINT           NOT NULL DEFAULT 0,
    PRIMARY KEY (product_id, bin)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

-- The stock of each product, for people and tests.
CREATE OR REPLACE SQL SECURITY INVOKER VIEW product_stock AS
    SELECT p.product_id, p.sku, (SELECT SUM(b.stock) FROM bin b WHERE b.product_id = p.product_id) AS stock
      FROM product p;

-- move books a movement of a product, spreads the stock evenly over the bins, and sets the floors.
-- If the quantity is null or 0, it books no movement, and only spreads the stock and sets the
-- floors.
--
-- Before the call, the caller locks the bins with SELECT … FOR UPDATE in the same transaction. Then
-- it makes its changes to the product and its production order, because the floors depend on them.
--
-- One statement changes the stock of all bins. So no bin is negative for a moment, even if the
-- movement takes more than any single bin holds.
-- +goose StatementBegin
CREATE OR REPLACE PROCEDURE move(
    IN p_product_id BINARY(16),
    IN p_bin TINYINT UNSIGNED, -- the bin in which the movement is booked
    IN p_quantity BIGINT,
    IN p_cause VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_reference BINARY(16),
    IN p_unit_price BIGINT,
    IN p_reason VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_idempotency_key VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_at DATETIME(6),
    IN p_correlation VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin
)
    MODIFIES SQL DATA
    SQL SECURITY INVOKER
BEGIN
    DECLARE v_bins, v_stock, v_floors, v_quantity BIGINT;
    SET v_quantity = COALESCE(p_quantity, 0);

    SELECT p.bins, IF(p.automatic AND o.production_order_id IS NULL, p.reorder_point + 1, 0)
      INTO v_bins, v_floors
      FROM product p
      LEFT JOIN production_order o ON o.open_product_id = p.product_id
     WHERE p.product_id = p_product_id;
    SELECT SUM(b.stock) + v_quantity INTO v_stock FROM bin b WHERE b.product_id = p_product_id;

    -- The bin p_bin may get two rows: a spread and the movement itself. A movement that adds stock
    -- gets its number before the spread, and one that takes stock gets its number after the spread.
    -- So the sum of the bin's first n movements is never negative, for any n.
    INSERT INTO movement (product_id, bin, number, quantity, cause, recorded_at, correlation)
    SELECT p_product_id, s.bin, s.entries + 1 + (s.own > 0), s.share - s.stock - s.own, 'spread', p_at, p_correlation
      FROM (SELECT b.bin, b.stock, b.entries, IF(b.bin = p_bin, v_quantity, 0) AS own,
                   IF(b.bin < v_bins, v_stock DIV v_bins + (b.bin < v_stock MOD v_bins), 0) AS share
              FROM bin b
             WHERE b.product_id = p_product_id) s
     WHERE s.share <> s.stock + s.own;
    IF v_quantity <> 0 THEN
        INSERT INTO movement (product_id, bin, number, quantity, cause, reference, unit_price, stock_left, reason,
                              idempotency_key, recorded_at, correlation)
        SELECT p_product_id, p_bin,
               b.entries + 1 + (p_quantity < 0
                   AND b.stock + p_quantity <> v_stock DIV v_bins + (p_bin < v_stock MOD v_bins)),
               p_quantity, p_cause, p_reference, p_unit_price, v_stock, p_reason, p_idempotency_key, p_at, p_correlation
          FROM bin b
         WHERE b.product_id = p_product_id AND b.bin = p_bin;
    END IF;
    -- MariaDB assigns from left to right: entries is computed from the old stock.
    UPDATE bin b
       SET b.entries = b.entries + (b.bin = p_bin AND v_quantity <> 0)
               + (b.stock + IF(b.bin = p_bin, v_quantity, 0)
                  <> IF(b.bin < v_bins, v_stock DIV v_bins + (b.bin < v_stock MOD v_bins), 0)),
           b.stock = IF(b.bin < v_bins, v_stock DIV v_bins + (b.bin < v_stock MOD v_bins), 0),
           b.floor = IF(b.bin < v_bins, v_floors DIV v_bins + (b.bin < v_floors MOD v_bins), 0)
     WHERE b.product_id = p_product_id;
    -- If the stock exceeds the sum of the floors by one piece for each bin, every bin is above its
    -- floor, and the product is not scarce.
    UPDATE product p SET p.scarce = v_stock - v_floors < v_bins WHERE p.product_id = p_product_id;
END;
-- +goose StatementEnd

-- sell decides a checkout. Almost all sales take stock from one bin. If that is not possible, sell
-- calls sell_from_all.
--
-- A sale runs as few statements as possible, because all connections that wait for the bin wait for
-- them, too. So sell reads before it locks, and rare answers have a procedure of their own. To read
-- the bin before locking it would add a tenth to the instructions of every sale, so sell leaves that to
-- sell_from_all, if product.scarce is true.
--
-- The UPDATE stores the new stock and the movement's number in @restock_stock and @restock_entry,
-- so that sell need not read the row again. These variables outlive the call, but each call sets
-- them before it reads them.
-- +goose StatementBegin
CREATE OR REPLACE PROCEDURE sell(
    IN p_sale_id BINARY(16),
    IN p_sku VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_quantity INT,
    IN p_idempotency_key VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_at DATETIME(6),
    IN p_correlation VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_plan JSON -- order_id in hexadecimal, position, quantity; null: no plan
)
    MODIFIES SQL DATA
    SQL SECURITY INVOKER
BEGIN
    DECLARE v_product_id BINARY(16);
    DECLARE v_price BIGINT;
    DECLARE v_bins, v_bin INT;
    DECLARE v_sells BOOLEAN;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION
    BEGIN
        ROLLBACK;
        RESIGNAL;
    END;
    -- ER_DUP_ENTRY: a sale with this idempotency key exists already. sell does not look the key up
    -- first. It inserts the sale, and the unique key refuses a repeated one. So a sale that repeats
    -- nothing does not pay for a look-up.
    DECLARE EXIT HANDLER FOR 1062
    BEGIN
        ROLLBACK;
        CALL answer_checkout('undecided', v_product_id, p_quantity, p_idempotency_key, NULL, NULL, NULL);
    END;

    -- A connection always takes the same bin of a product, which divides the connections among the
    -- bins. If there is no such product, the variables stay null.
    SELECT p.product_id, p.price, p.bins, CONNECTION_ID() MOD p.bins,
           NOT p.scarce AND (p.max_per_sale = 0 OR p_quantity <= p.max_per_sale)
      INTO v_product_id, v_price, v_bins, v_bin, v_sells
      FROM product p
     WHERE p.sku = p_sku;

    IF v_sells THEN
        -- From here to the commit all other buyers of this bin wait.
        START TRANSACTION;
        UPDATE bin
           SET stock = (@restock_stock := stock - p_quantity), entries = (@restock_entry := entries + 1)
         WHERE product_id = v_product_id AND bin = v_bin AND stock - p_quantity >= floor;
        SET v_sells = ROW_COUNT();
        IF v_sells THEN
            IF v_bins > 1 THEN
                SELECT SUM(b.stock) INTO @restock_stock FROM bin b WHERE b.product_id = v_product_id;
            END IF;
            INSERT INTO movement (product_id, bin, number, quantity, cause, reference, unit_price, stock_left,
                                  idempotency_key, recorded_at, correlation)
            VALUES (v_product_id, v_bin, @restock_entry, -p_quantity, 'sale', p_sale_id, v_price, @restock_stock,
                    p_idempotency_key, p_at, p_correlation);
        END IF;
        COMMIT;
        IF NOT v_sells THEN
            UPDATE product p SET p.scarce = TRUE WHERE p.product_id = v_product_id AND NOT p.scarce;
        END IF;
    END IF;

    IF v_sells THEN
        SELECT 'sold' AS outcome, v_price AS unit_price, @restock_stock AS stock;
    ELSE
        CALL sell_from_all(p_sale_id, v_product_id, p_quantity, p_idempotency_key, p_at, p_correlation, p_plan);
    END IF;
END;
-- +goose StatementEnd

-- sell_from_all decides a checkout from the stock of all bins. sell calls it if one bin is not
-- enough: the bin would fall below its floor, the product is scarce or does not exist, or the
-- quantity is over the product's limit.
-- +goose StatementBegin
CREATE OR REPLACE PROCEDURE sell_from_all(
    IN p_sale_id BINARY(16),
    IN p_product_id BINARY(16),
    IN p_quantity INT,
    IN p_idempotency_key VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_at DATETIME(6),
    IN p_correlation VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_plan JSON
)
    MODIFIES SQL DATA
    SQL SECURITY INVOKER
sell_from_all: BEGIN
    DECLARE v_outcome VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin;
    DECLARE v_price, v_stock, v_reorder_point BIGINT;
    DECLARE v_bin, v_lead_time INT;
    DECLARE v_open, v_repeated BOOLEAN DEFAULT FALSE;
    DECLARE v_asked_at DATETIME(6);

    decide: BEGIN
        -- Find the probable outcome without a lock. The two reads may see different moments. A
        -- manually ordered product never triggers replenishment: -1 makes "stock <= reorder point"
        -- false.
        SELECT SUM(b.stock) INTO v_stock FROM bin b WHERE b.product_id = p_product_id;
        SELECT IF(p.automatic, p.reorder_point, -1), o.asked_at, p.lead_time,
               CASE WHEN p.max_per_sale > 0 AND p_quantity > p.max_per_sale THEN 'over_limit'
                    WHEN v_stock < p_quantity THEN 'refused'
                    ELSE 'sold' END
          INTO v_reorder_point, v_asked_at, v_lead_time, v_outcome
          FROM product p
          LEFT JOIN production_order o ON o.open_product_id = p.product_id
         WHERE p.product_id = p_product_id;
        -- Only a function of the version before creates a product without bins. See carry_over.
        IF v_outcome IS NOT NULL AND v_stock IS NULL THEN
            SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = 1290, MESSAGE_TEXT = 'the product has no bins yet';
        END IF;
        IF v_outcome IS NULL OR v_outcome = 'over_limit' THEN
            LEAVE decide;
        END IF;
        -- Most refusals end here. They have locked and written nothing.
        IF v_outcome = 'refused' AND (v_stock > v_reorder_point OR v_asked_at IS NOT NULL) THEN
            IF p_idempotency_key IS NOT NULL THEN
                SELECT COUNT(*) INTO v_repeated FROM movement m WHERE m.idempotency_key = p_idempotency_key;
            END IF;
            IF v_repeated THEN
                LEAVE decide;
            END IF;
            SELECT 'refused' AS outcome, v_stock AS stock, v_asked_at AS asked_at, v_lead_time AS lead_time;
            LEAVE sell_from_all;
        END IF;

        -- Lock all bins, always in the order of their numbers, and then the product: a new order would
        -- lock its row shared, and move changes the row. From here to the commit all other buyers of the
        -- product wait. The reads after the locks see everything that was committed before them.
        START TRANSACTION;
        SELECT SUM(b.stock) INTO v_stock FROM bin b WHERE b.product_id = p_product_id FOR UPDATE;
        SELECT p.price, CONNECTION_ID() MOD p.bins, IF(p.automatic, p.reorder_point, -1)
          INTO v_price, v_bin, v_reorder_point
          FROM product p
         WHERE p.product_id = p_product_id
           FOR UPDATE;
        SELECT COUNT(*) INTO v_open FROM production_order o WHERE o.open_product_id = p_product_id;
        SET v_outcome = 'refused';
        IF v_stock >= p_quantity THEN
            SET v_outcome = 'sold', v_stock = v_stock - p_quantity;
        END IF;

        IF v_stock <= v_reorder_point AND NOT v_open THEN
            -- An order is due. Nothing is on order, so the stock position is the stock. If there is
            -- no plan for exactly this position, return it to the caller, who makes a plan.
            IF NOT (JSON_VALUE(p_plan, '$.position') <=> v_stock) THEN
                ROLLBACK;
                SET v_outcome = 'undecided';
                LEAVE decide;
            END IF;
            INSERT INTO production_order (production_order_id, product_id, factory_id, quantity,
                                          opened_at, asked_at, correlation)
            SELECT UNHEX(JSON_VALUE(p_plan, '$.order_id')), p.product_id, p.factory_id,
                   JSON_VALUE(p_plan, '$.quantity'), p_at, p_at, p_correlation
              FROM product p
             WHERE p.product_id = p_product_id;
        END IF;
        IF v_outcome = 'sold' THEN
            CALL move(p_product_id, v_bin, -p_quantity, 'sale', p_sale_id, v_price, NULL, p_idempotency_key, p_at, p_correlation);
        ELSE
            CALL move(p_product_id, v_bin, NULL, NULL, NULL, NULL, NULL, NULL, p_at, p_correlation); -- sets the floors
        END IF;
        COMMIT;
    END decide;

    IF v_outcome = 'sold' AND p_plan IS NULL THEN
        SELECT v_outcome AS outcome, v_price AS unit_price, v_stock AS stock;
    ELSE
        CALL answer_checkout(v_outcome, p_product_id, p_quantity, p_idempotency_key, v_price, v_stock, p_plan);
    END IF;
END;
-- +goose StatementEnd

-- answer_checkout returns the long answer to a checkout. The caller needs it to make a plan, to
-- tell a refused buyer when stock arrives, or to repeat the answer to an earlier purchase with the
-- same key.
-- +goose StatementBegin
CREATE OR REPLACE PROCEDURE answer_checkout(
    IN p_outcome VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_product_id BINARY(16),
    IN p_quantity INT,
    IN p_idempotency_key VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_unit_price BIGINT, -- null: use the product's current price
    IN p_stock BIGINT,      -- null: use the product's current stock
    IN p_plan JSON
)
    READS SQL DATA
    SQL SECURITY INVOKER
BEGIN
    DECLARE v_outcome VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT p_outcome;
    DECLARE v_price BIGINT DEFAULT p_unit_price;
    DECLARE v_stock BIGINT DEFAULT p_stock;
    DECLARE v_sale_id BINARY(16);
    -- If the checkout was not sold, it may repeat an earlier one that was. Then the answer is the
    -- earlier sale, even if the product is sold out now or has another price.
    IF p_outcome <> 'sold' AND p_idempotency_key IS NOT NULL THEN
        SELECT IF(m.product_id = p_product_id AND m.quantity = -p_quantity AND m.cause = 'sale', 'repeated', 'key_reused'),
               m.reference, m.unit_price, m.stock_left
          INTO v_outcome, v_sale_id, v_price, v_stock
          FROM movement m
         WHERE m.idempotency_key = p_idempotency_key;
    END IF;
    -- If there is no such product, the result has no row.
    SELECT v_outcome AS outcome, COALESCE(v_price, p.price) AS unit_price, v_sale_id AS sale_id, p.max_per_sale,
           COALESCE(v_stock, (SELECT SUM(b.stock) FROM bin b WHERE b.product_id = p.product_id)) AS stock,
           o.asked_at,
           COALESCE(o.production_order_id = UNHEX(JSON_VALUE(p_plan, '$.order_id')), FALSE) AS opened,
           f.identifier AS factory,
           p.reorder_point, p.order_up_to, p.lot_size, p.minimum_order, p.lead_time
      FROM product p
      JOIN factory f ON f.factory_id = p.factory_id
      LEFT JOIN production_order o ON o.open_product_id = p.product_id
     WHERE p.product_id = p_product_id;
END;
-- +goose StatementEnd

-- +goose Down
DROP PROCEDURE IF EXISTS sell;
DROP PROCEDURE IF EXISTS sell_from_all;
DROP PROCEDURE IF EXISTS answer_checkout;
DROP PROCEDURE IF EXISTS move;
DROP VIEW IF EXISTS product_stock;
DROP TABLE IF EXISTS bin_checkpoint;
DROP TABLE IF EXISTS movement;
DROP TABLE IF EXISTS bin;
ALTER TABLE product DROP COLUMN IF EXISTS bins, DROP COLUMN IF EXISTS scarce, DROP COLUMN IF EXISTS waited_at;
