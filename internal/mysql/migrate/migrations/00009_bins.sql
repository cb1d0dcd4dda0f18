-- One ledger and bins. A product's stock lies in one or more rows, its bins, and every change of a bin
-- is one row of the ledger, which is called movement.
--
-- A sale locks one bin from its UPDATE to the commit. With a binary log, a commit waits for the disk,
-- and in Multi-AZ also for the other zone, so one row sells a hundred to three hundred times a second.
-- Sales from different bins do not wait for each other, and the database flushes their commits together.
-- A product with one bin works as a product without bins.
--
-- Procedures, and no triggers: with a binary log, MariaDB lets only SUPER create triggers, and the
-- administrator of RDS does not have it.
--   https://mariadb.com/kb/en/binary-logging-of-stored-routines/
--
-- The migration adds only. Code of the version before works on.
-- +goose NO TRANSACTION

-- +goose Up
SET SESSION lock_wait_timeout = 10;
ALTER TABLE product
    ADD COLUMN IF NOT EXISTS bins TINYINT UNSIGNED NOT NULL DEFAULT 1 CHECK (bins BETWEEN 1 AND 64),
    -- A bin may be at its floor, so buyers read the stock before they lock a bin. It decides nothing else.
    ADD COLUMN IF NOT EXISTS scarce BOOLEAN NOT NULL DEFAULT TRUE,
    -- When a buyer last waited and all bins were locked. Null: not with this number of bins.
    ADD COLUMN IF NOT EXISTS waited_at DATETIME(6) NULL;

-- A bin sells by itself as long as its stock stays at floor or above. The floors of a product that
-- nothing is on order for add up to its reorder point plus one. So while every bin is at its floor or
-- above, the product is above its reorder point. If an order is open, or the product is not automatic,
-- the floors are 0.
--
-- entries counts the bin's movements: it is the number of the last one. A product may have more bins
-- than it uses: the number of bins in use is product.bins, and the others are empty.
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

-- The ledger only grows, and is the only record of sales, receipts and adjustments. The sum of a bin's
-- movements is its stock. The numbers of a bin begin at 1 and have no gaps, because a movement gets its
-- number while its transaction has the bin locked.
--
-- cause: opening, sale, receipt, adjustment; or spread, which moves stock from bin to bin and adds up to
-- nothing. reference: the sale, the production order of a receipt, or the adjustment. unit_price: of a
-- sale. stock_left: what is on hand of the product afterwards, as the buyer of a sale was told (a
-- repeated request gets the first one's answer). reason: of an adjustment. idempotency_key: of the request that made a sale or an adjustment. A
-- receipt has "receipt", a tab, and the attempt; clients cannot send tabs. correlation: the id of the
-- buyer's request.
--
-- A movement has no foreign key, which would look its bin up again. Bins are not deleted.
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

-- How far the sweep has read the movements of a bin: up to which number they add up to the balance, and
-- up to which number their idempotency keys were removed.
CREATE TABLE IF NOT EXISTS bin_checkpoint (
    product_id BINARY(16)       NOT NULL,
    bin        TINYINT UNSIGNED NOT NULL,
    balanced   BIGINT           NOT NULL DEFAULT 0,
    balance    BIGINT           NOT NULL DEFAULT 0,
    forgotten  BIGINT           NOT NULL DEFAULT 0,
    PRIMARY KEY (product_id, bin)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

-- What is on hand of each product, for people and tests.
CREATE OR REPLACE SQL SECURITY INVOKER VIEW product_stock AS
    SELECT p.product_id, p.sku, (SELECT SUM(b.stock) FROM bin b WHERE b.product_id = p.product_id) AS stock
      FROM product p;

-- move books a movement of a product (a quantity of null: none), spreads the stock evenly over the bins,
-- and sets the floors. The caller has locked the bins with SELECT … FOR UPDATE, in the same transaction,
-- and changes the product or its production order before it calls move.
--
-- The stock of the bins changes in one statement, from before to after. So no bin is negative in between,
-- and the quantity may be more than any bin holds.
-- +goose StatementBegin
CREATE OR REPLACE PROCEDURE move(
    IN p_product_id BINARY(16),
    IN p_bin TINYINT UNSIGNED, -- the bin whose movement it is
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

    -- In the bin of the movement, what takes stock away comes last and what adds stock comes first, so
    -- that the sum of its movements is never negative.
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
    -- With at least one piece a bin more than the floors, every bin is above its floor.
    UPDATE product p SET p.scarce = v_stock - v_floors < v_bins WHERE p.product_id = p_product_id;
END;
-- +goose StatementEnd

-- sell decides a checkout. Almost all sales take one bin only: see the first half. sell_from_all is for
-- the others.
--
-- A sale runs as few instructions as it can, because every connection that waits for the bin pays for
-- them. So the reads come before the lock, and rare answers have a procedure of their own. Reading the
-- bin, too, before it is locked would cost every sale a ninth: product.scarce says when that is needed.
--
-- @restock_stock and @restock_entry return what the UPDATE has computed, without reading the row again.
-- Nothing reads them in a later call.
-- +goose StatementBegin
CREATE OR REPLACE PROCEDURE sell(
    IN p_sale_id BINARY(16),
    IN p_sku VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_quantity INT,
    IN p_idempotency_key VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_at DATETIME(6),
    IN p_correlation VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_plan JSON -- order_id in hexadecimal, position, quantity; null: there is none
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
    -- ER_DUP_ENTRY: the key has its sale already. The sale is tried before its key is looked up: a
    -- repeated sale costs more, every other one less, and the unique key decides.
    DECLARE EXIT HANDLER FOR 1062
    BEGIN
        ROLLBACK;
        CALL answer_checkout('undecided', v_product_id, p_quantity, p_idempotency_key, NULL, NULL, NULL);
    END;

    -- The same connection takes the same bin, so that the connections of a hot product share bins as
    -- little as possible. No row: there is no such product.
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

-- sell_from_all decides a checkout from the stock of all bins: the chosen bin has too little, has
-- reached its floor, or the checkout cannot be sold at all.
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
        -- What to expect. A manually ordered product never triggers replenishment: -1 makes
        -- "stock <= reorder point" false. Both reads see one moment each, and lock nothing.
        SELECT SUM(b.stock) INTO v_stock FROM bin b WHERE b.product_id = p_product_id;
        SELECT IF(p.automatic, p.reorder_point, -1), o.asked_at, p.lead_time,
               CASE WHEN p.max_per_sale > 0 AND p_quantity > p.max_per_sale THEN 'over_limit'
                    WHEN v_stock < p_quantity THEN 'refused'
                    ELSE 'sold' END
          INTO v_reorder_point, v_asked_at, v_lead_time, v_outcome
          FROM product p
          LEFT JOIN production_order o ON o.open_product_id = p.product_id
         WHERE p.product_id = p_product_id;
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

        -- All bins are locked, in their order, and then the product: a new order would lock its row
        -- shared, and move changes it. From here to the commit all other buyers of the product wait. The
        -- reads that follow see everything that was committed before the bins were locked.
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
            -- Nothing is on order, so the position is what is on hand. A plan for another position does
            -- not count.
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
            CALL move(p_product_id, v_bin, NULL, NULL, NULL, NULL, NULL, NULL, p_at, p_correlation); -- the floors
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

-- answer_checkout returns the long answer to a checkout: somebody has to plan, wants to know when stock
-- arrives, or has bought before.
-- +goose StatementBegin
CREATE OR REPLACE PROCEDURE answer_checkout(
    IN p_outcome VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_product_id BINARY(16),
    IN p_quantity INT,
    IN p_idempotency_key VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_unit_price BIGINT, -- null: the product's price now
    IN p_stock BIGINT,      -- null: what is on hand now
    IN p_plan JSON
)
    READS SQL DATA
    SQL SECURITY INVOKER
BEGIN
    DECLARE v_outcome VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT p_outcome;
    DECLARE v_price BIGINT DEFAULT p_unit_price;
    DECLARE v_stock BIGINT DEFAULT p_stock;
    DECLARE v_sale_id BINARY(16);
    -- A buyer who gets nothing now may have bought before: a repeated checkout is the first one's sale,
    -- whatever has become of the product.
    IF p_outcome <> 'sold' AND p_idempotency_key IS NOT NULL THEN
        SELECT IF(m.product_id = p_product_id AND m.quantity = -p_quantity AND m.cause = 'sale', 'repeated', 'key_reused'),
               m.reference, m.unit_price, m.stock_left
          INTO v_outcome, v_sale_id, v_price, v_stock
          FROM movement m
         WHERE m.idempotency_key = p_idempotency_key;
    END IF;
    -- No row: there is no such product.
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
