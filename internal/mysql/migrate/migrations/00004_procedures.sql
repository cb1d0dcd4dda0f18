-- A checkout is one call, so that no round trip holds the product's row: the transaction begins, decides and ends inside the
-- server, and a caller that dies in the middle leaves neither a lock nor half a sale.
--
-- All procedures lock the product's row first, and all else hangs on that lock: what is on hand, and whether an order may be opened.
-- (An order may be closed without it: who closes one checks the product afterwards.) What is read before it, without a lock, may be a
-- moment old: the price that the buyer was shown, the policy.
-- LAST_INSERT_ID(value) is how both engines hand back what an UPDATE has computed, without reading the row again.
--
-- A sale runs as few instructions as it can, since every connection that waits for the row pays for them. Counted in MariaDB 10.11, against
-- a bare UPDATE of the stock: a statement that finds one row by its key is a third of it; a parameter or a declared variable a fortieth; a
-- SET, an IF or a column of the answer a sixtieth. So variables are declared where they are needed, rare questions are asked on the paths
-- that need them, only rare answers are long, and a plan, which is rare, is one parameter.
-- +goose NO TRANSACTION

-- +goose Up
DROP PROCEDURE IF EXISTS checkout;

-- +goose StatementBegin
CREATE PROCEDURE checkout(
    IN p_sale_id BINARY(16),
    IN p_sku VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_quantity INT,
    IN p_idempotency_key VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_at DATETIME(6),
    IN p_plan JSON -- order_id in hexadecimal, position, quantity, correlation; null: there is none
)
    MODIFIES SQL DATA
    SQL SECURITY INVOKER
BEGIN
    DECLARE v_outcome VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT 'unknown';
    DECLARE v_product_id BINARY(16);
    DECLARE v_price, v_stock, v_reorder_point BIGINT;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION
    BEGIN
        ROLLBACK;
        RESIGNAL;
    END;

    decide: BEGIN
        -- ER_DUP_ENTRY: the key has its sale already, which is looked up below. That a sale is tried before its key is looked up makes a
        -- repeated one cost more and every other one less, and asks the one who knows for sure, the unique key.
        DECLARE EXIT HANDLER FOR 1062
        BEGIN
            ROLLBACK;
            SET v_outcome = 'undecided';
        END;

        -- What to expect. What is not automatic has no reorder point to fall to.
        SELECT p.product_id, p.price, p.stock, IF(p.automatic, p.reorder_point, -1),
               CASE WHEN p.max_per_sale > 0 AND p_quantity > p.max_per_sale THEN 'over_limit' WHEN p.stock < p_quantity THEN 'refused' ELSE 'sold' END
          INTO v_product_id, v_price, v_stock, v_reorder_point, v_outcome
          FROM product p
         WHERE p.sku = p_sku;

        -- Most refusals end here, having locked and written nothing. (It is two IFs because an IF opens the tables of its whole condition.)
        IF v_outcome <> 'sold' THEN
            IF v_outcome <> 'refused' OR v_stock > v_reorder_point
               OR EXISTS (SELECT 1 FROM production_order o WHERE o.open_product_id = v_product_id) THEN
                LEAVE decide;
            END IF;
        END IF;

        -- From here to the commit everybody else who buys this product waits.
        START TRANSACTION;
        UPDATE product SET stock = LAST_INSERT_ID(stock - p_quantity) WHERE product_id = v_product_id AND stock >= p_quantity;
        IF ROW_COUNT() = 1 THEN
            SET v_stock = LAST_INSERT_ID(), v_outcome = 'sold';
        ELSE
            SET v_outcome = 'refused';
            SELECT p.stock INTO v_stock FROM product p WHERE p.product_id = v_product_id FOR UPDATE;
        END IF;

        IF v_stock <= v_reorder_point THEN
            BEGIN
                DECLARE v_open, v_short BOOLEAN;
                DECLARE p_order_position BIGINT DEFAULT JSON_VALUE(p_plan, '$.position');
                DECLARE p_order_quantity INT DEFAULT JSON_VALUE(p_plan, '$.quantity');
                SELECT COUNT(*) INTO v_open FROM production_order o WHERE o.open_product_id = v_product_id;
                SET v_short = NOT v_open;
                -- Nothing is on order, so the position is what is on hand. A plan that was made for another position is none.
                IF v_short AND NOT (p_order_position <=> v_stock) THEN
                    ROLLBACK;
                    SET v_outcome = 'undecided';
                    LEAVE decide;
                END IF;
                IF v_short AND p_order_quantity > 0 THEN
                    INSERT INTO production_order (production_order_id, product_id, factory_id, quantity, opened_at, asked_at, correlation)
                    SELECT UNHEX(JSON_VALUE(p_plan, '$.order_id')), p.product_id, p.factory_id, p_order_quantity, p_at, p_at, JSON_VALUE(p_plan, '$.correlation')
                      FROM product p
                     WHERE p.product_id = v_product_id;
                END IF;
            END;
        END IF;

        IF v_outcome = 'sold' THEN
            INSERT INTO sale (sale_id, product_id, quantity, unit_price, stock_left, idempotency_key, sold_at)
            VALUES (p_sale_id, v_product_id, p_quantity, v_price, v_stock, p_idempotency_key, p_at);
            INSERT INTO stock_ledger (product_id, quantity, cause, reference, recorded_at)
            VALUES (v_product_id, -p_quantity, 'sale', p_sale_id, p_at);
        END IF;
        COMMIT;
    END decide;

    -- The answer to almost all who buy is short.
    IF v_outcome = 'sold' AND p_plan IS NULL THEN
        SELECT v_outcome AS outcome, v_price AS unit_price, v_stock AS stock;
    ELSE
        BEGIN
            DECLARE v_sale_id BINARY(16);
            -- Who gets nothing now may have got it before: a repeated order has the first one's answer, whatever has become of the product.
            IF v_outcome <> 'sold' THEN
                IF p_idempotency_key IS NOT NULL THEN
                    SELECT IF(s.product_id = v_product_id AND s.quantity = p_quantity, 'repeated', 'key_reused'), s.sale_id, s.unit_price, s.stock_left
                      INTO v_outcome, v_sale_id, v_price, v_stock
                      FROM sale s
                     WHERE s.idempotency_key = p_idempotency_key;
                END IF;
            END IF;
            -- No row: there is no such product.
            SELECT v_outcome AS outcome, v_price AS unit_price, v_stock AS stock, v_sale_id AS sale_id, p.max_per_sale,
                   o.asked_at, COALESCE(o.production_order_id = UNHEX(JSON_VALUE(p_plan, '$.order_id')), FALSE) AS opened, f.identifier AS factory,
                   p.reorder_point, p.order_up_to, p.lot_size, p.minimum_order, p.lead_time
              FROM product p
              JOIN factory f ON f.factory_id = p.factory_id
              LEFT JOIN production_order o ON o.open_product_id = p.product_id
             WHERE p.product_id = v_product_id;
        END;
    END IF;
END;
-- +goose StatementEnd

DROP PROCEDURE IF EXISTS replenish;

-- +goose StatementBegin
CREATE PROCEDURE replenish(
    IN p_sku VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_by_hand BOOLEAN,
    IN p_at DATETIME(6),
    IN p_order_id BINARY(16),
    IN p_order_position BIGINT, -- null: the quantity is for any
    IN p_order_quantity INT,    -- null: there is no plan
    IN p_correlation VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin
)
    MODIFIES SQL DATA
    SQL SECURITY INVOKER
BEGIN
    DECLARE v_outcome VARCHAR(16) DEFAULT 'undecided';
    DECLARE v_product_id, v_factory_id BINARY(16);
    DECLARE v_stock BIGINT DEFAULT 0;
    DECLARE v_reorder_point, v_order_up_to, v_lot_size, v_minimum_order, v_lead_time INT DEFAULT 0;
    DECLARE v_factory VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin DEFAULT '';
    DECLARE v_open INT DEFAULT 0;
    DECLARE v_automatic, v_opened BOOLEAN DEFAULT FALSE;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION
    BEGIN
        ROLLBACK;
        RESIGNAL;
    END;

    decide: BEGIN
        -- Most checks end here, having locked nothing: whoever changes what they see, checks after.
        SELECT p.product_id, p.stock, p.automatic, p.reorder_point
          INTO v_product_id, v_stock, v_automatic, v_reorder_point
          FROM product p
         WHERE p.sku = p_sku;
        IF v_product_id IS NULL THEN
            SET v_outcome = 'unknown';
            LEAVE decide;
        END IF;
        IF NOT p_by_hand AND (NOT v_automatic OR v_stock > v_reorder_point) THEN
            SET v_outcome = 'settled';
            LEAVE decide;
        END IF;
        SELECT COUNT(*) INTO v_open FROM production_order o WHERE o.open_product_id = v_product_id;
        IF v_open THEN
            SET v_outcome = 'open';
            LEAVE decide;
        END IF;

        START TRANSACTION;
        SELECT p.factory_id, p.stock, p.automatic, p.reorder_point, p.order_up_to, p.lot_size, p.minimum_order, p.lead_time
          INTO v_factory_id, v_stock, v_automatic, v_reorder_point, v_order_up_to, v_lot_size, v_minimum_order, v_lead_time
          FROM product p
         WHERE p.product_id = v_product_id
           FOR UPDATE;
        SELECT COUNT(*) INTO v_open FROM production_order o WHERE o.open_product_id = v_product_id;
        IF v_open THEN
            SET v_outcome = 'open';
        ELSEIF NOT p_by_hand AND (NOT v_automatic OR v_stock > v_reorder_point) THEN
            SET v_outcome = 'settled';
        ELSEIF p_order_quantity IS NULL OR p_order_position <> v_stock THEN
            SET v_outcome = 'undecided';
        ELSE
            SET v_outcome = 'settled';
            IF p_order_quantity > 0 THEN
                INSERT INTO production_order (production_order_id, product_id, factory_id, quantity, opened_at, asked_at, correlation)
                VALUES (p_order_id, v_product_id, v_factory_id, p_order_quantity, p_at, p_at, p_correlation);
                SET v_opened = TRUE;
                SELECT f.identifier INTO v_factory FROM factory f WHERE f.factory_id = v_factory_id;
            END IF;
        END IF;
        COMMIT;
    END decide;

    SELECT v_outcome AS outcome, v_stock AS stock, v_opened AS opened, v_factory AS factory, v_automatic AS automatic,
           v_reorder_point AS reorder_point, v_order_up_to AS order_up_to, v_lot_size AS lot_size, v_minimum_order AS minimum_order,
           v_lead_time AS lead_time;
END;
-- +goose StatementEnd

DROP PROCEDURE IF EXISTS receive_goods;

-- +goose StatementBegin
CREATE PROCEDURE receive_goods(
    IN p_attempt_id BINARY(16),
    IN p_order_id BINARY(16),
    IN p_sku VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_quantity INT,
    IN p_at DATETIME(6)
)
    MODIFIES SQL DATA
    SQL SECURITY INVOKER
BEGIN
    DECLARE v_outcome VARCHAR(16) DEFAULT 'unknown';
    DECLARE v_product_id BINARY(16);
    DECLARE v_same INT DEFAULT 0;
    DECLARE v_status VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin;
    DECLARE v_stock, v_ordered, v_received, v_surplus BIGINT DEFAULT 0;
    DECLARE v_late, v_duplicate BOOLEAN DEFAULT FALSE;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION
    BEGIN
        ROLLBACK;
        RESIGNAL;
    END;

    receive: BEGIN
        SELECT p.product_id, p.sku = p_sku INTO v_product_id, v_same
          FROM production_order o JOIN product p ON p.product_id = o.product_id
         WHERE o.production_order_id = p_order_id;
        IF v_product_id IS NULL THEN
            LEAVE receive;
        END IF;
        IF NOT v_same THEN
            SET v_outcome = 'mismatch';
            LEAVE receive;
        END IF;

        START TRANSACTION;
        UPDATE product SET stock = LAST_INSERT_ID(stock + p_quantity) WHERE product_id = v_product_id;
        SET v_stock = LAST_INSERT_ID();
        -- The order's row is locked before the receipt is stored: the receipt's foreign key would lock it shared, and two who have it
        -- shared cannot both update it.
        SELECT o.status, o.quantity, o.received + p_quantity INTO v_status, v_ordered, v_received
          FROM production_order o
         WHERE o.production_order_id = p_order_id
           FOR UPDATE;
        BEGIN
            DECLARE CONTINUE HANDLER FOR 1062 SET v_duplicate = TRUE; -- ER_DUP_ENTRY
            INSERT INTO goods_receipt (attempt_id, production_order_id, quantity, stock_left, received_at)
            VALUES (p_attempt_id, p_order_id, p_quantity, v_stock, p_at);
        END;
        IF v_duplicate THEN
            ROLLBACK;
            SELECT 'repeated', r.stock_left INTO v_outcome, v_stock FROM goods_receipt r WHERE r.attempt_id = p_attempt_id;
            LEAVE receive;
        END IF;
        INSERT INTO stock_ledger (product_id, quantity, cause, reference, recorded_at)
        VALUES (v_product_id, p_quantity, 'receipt', p_attempt_id, p_at);
        SET v_late = v_status <> 'open';
        IF NOT v_late AND v_received >= v_ordered THEN
            UPDATE production_order SET received = v_received, status = 'received', closed_at = p_at WHERE production_order_id = p_order_id;
        ELSE
            UPDATE production_order SET received = v_received WHERE production_order_id = p_order_id;
        END IF;
        SET v_surplus = LEAST(GREATEST(v_received - v_ordered, 0), p_quantity);
        IF v_surplus > 0 OR v_late THEN
            INSERT INTO notice (kind, subject_id, production_order_id, quantity, raised_at, due_at)
            VALUES (IF(v_surplus > 0, 'surplus', 'late_receipt'), p_attempt_id, p_order_id, IF(v_surplus > 0, v_surplus, p_quantity), p_at, p_at);
        END IF;
        COMMIT;
        SET v_outcome = 'received';
    END receive;

    SELECT v_outcome AS outcome, v_stock AS stock, v_surplus AS surplus, v_late AS late;
END;
-- +goose StatementEnd

DROP PROCEDURE IF EXISTS adjust_stock;

-- +goose StatementBegin
CREATE PROCEDURE adjust_stock(
    IN p_adjustment_id BINARY(16),
    IN p_sku VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_quantity INT,
    IN p_reason VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci,
    IN p_idempotency_key VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_at DATETIME(6)
)
    MODIFIES SQL DATA
    SQL SECURITY INVOKER
BEGIN
    DECLARE v_outcome VARCHAR(16) DEFAULT 'unknown';
    DECLARE v_product_id BINARY(16);
    DECLARE v_stock BIGINT DEFAULT 0;
    DECLARE v_adjusted, v_duplicate BOOLEAN DEFAULT FALSE;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION
    BEGIN
        ROLLBACK;
        RESIGNAL;
    END;

    adjust: BEGIN
        SELECT p.product_id INTO v_product_id FROM product p WHERE p.sku = p_sku;
        IF v_product_id IS NULL THEN
            LEAVE adjust;
        END IF;

        START TRANSACTION;
        UPDATE product SET stock = LAST_INSERT_ID(stock + p_quantity) WHERE product_id = v_product_id AND stock + p_quantity >= 0;
        SET v_adjusted = ROW_COUNT() = 1;
        IF v_adjusted THEN
            SET v_stock = LAST_INSERT_ID();
            BEGIN
                DECLARE CONTINUE HANDLER FOR 1062 SET v_duplicate = TRUE; -- ER_DUP_ENTRY
                INSERT INTO adjustment (adjustment_id, product_id, quantity, reason, stock_left, idempotency_key, adjusted_at)
                VALUES (p_adjustment_id, v_product_id, p_quantity, p_reason, v_stock, p_idempotency_key, p_at);
            END;
            IF NOT v_duplicate THEN
                INSERT INTO stock_ledger (product_id, quantity, cause, reference, recorded_at)
                VALUES (v_product_id, p_quantity, 'adjustment', p_adjustment_id, p_at);
                COMMIT;
                SET v_outcome = 'adjusted';
                LEAVE adjust;
            END IF;
        END IF;
        ROLLBACK;

        -- It was done before, or cannot be done.
        SET v_outcome = 'refused';
        SELECT p.stock INTO v_stock FROM product p WHERE p.product_id = v_product_id;
        IF p_idempotency_key IS NOT NULL THEN
            SELECT IF(a.product_id = v_product_id AND a.quantity = p_quantity AND a.reason = p_reason, 'repeated', 'key_reused'), a.stock_left
              INTO v_outcome, v_stock
              FROM adjustment a
             WHERE a.idempotency_key = p_idempotency_key;
        END IF;
    END adjust;

    SELECT v_outcome AS outcome, v_stock AS stock;
END;
-- +goose StatementEnd

-- +goose Down
DROP PROCEDURE IF EXISTS adjust_stock;
DROP PROCEDURE IF EXISTS receive_goods;
DROP PROCEDURE IF EXISTS replenish;
DROP PROCEDURE IF EXISTS checkout;
