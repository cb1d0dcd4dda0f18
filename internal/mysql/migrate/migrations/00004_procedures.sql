-- A checkout is one call, so that no round trip holds the product's row: the transaction begins, decides and ends inside the
-- server, and a caller that dies in the middle leaves neither a lock nor half a sale.
--
-- Both procedures lock the product's row first, by updating it, and all else hangs on that lock: what is on hand, and whether an order
-- is open. What is read before it, without a lock, may be a moment old: the price that the buyer was shown, the policy.
-- LAST_INSERT_ID(value) is how both engines hand back what an UPDATE has computed, without reading the row again.
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
    IN p_order_id BINARY(16),
    IN p_order_position BIGINT,
    IN p_order_quantity INT,
    IN p_correlation VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin
)
    MODIFIES SQL DATA
    SQL SECURITY INVOKER
BEGIN
    DECLARE v_outcome VARCHAR(16) DEFAULT 'undecided';
    DECLARE v_product_id BINARY(16);
    DECLARE v_sale_id BINARY(16) DEFAULT p_sale_id;
    DECLARE v_price, v_stock BIGINT DEFAULT 0;
    DECLARE v_reorder_point, v_order_up_to, v_lot_size INT DEFAULT 0;
    DECLARE v_factory VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin DEFAULT '';
    DECLARE v_open, v_same INT DEFAULT 0;
    DECLARE v_sold, v_short, v_duplicate, v_opened BOOLEAN DEFAULT FALSE;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION
    BEGIN
        ROLLBACK;
        RESIGNAL;
    END;

    decide: BEGIN
        SELECT p.product_id, p.price, p.stock, p.reorder_point, p.order_up_to, p.lot_size
          INTO v_product_id, v_price, v_stock, v_reorder_point, v_order_up_to, v_lot_size
          FROM product p
         WHERE p.sku = p_sku;
        IF v_product_id IS NULL THEN
            SET v_outcome = 'unknown';
            LEAVE decide;
        END IF;

        IF p_idempotency_key IS NOT NULL THEN
            SELECT 'repeated', s.sale_id, s.product_id = v_product_id AND s.quantity = p_quantity, s.unit_price, s.stock_left
              INTO v_outcome, v_sale_id, v_same, v_price, v_stock
              FROM sale s
             WHERE s.idempotency_key = p_idempotency_key;
            IF v_outcome = 'repeated' THEN
                SET v_outcome = IF(v_same, 'repeated', 'key_reused');
                LEAVE decide;
            END IF;
        END IF;

        -- Most refusals end here, having locked and written nothing.
        IF v_stock < p_quantity THEN
            SELECT COUNT(*) INTO v_open FROM production_order o WHERE o.open_product_id = v_product_id;
            IF v_open OR v_stock > v_reorder_point THEN
                SET v_outcome = 'refused';
                LEAVE decide;
            END IF;
        END IF;

        START TRANSACTION;
        UPDATE product SET stock = LAST_INSERT_ID(stock - p_quantity) WHERE product_id = v_product_id AND stock >= p_quantity;
        SET v_sold = ROW_COUNT() = 1;
        IF v_sold THEN
            SET v_stock = LAST_INSERT_ID();
        ELSE
            SELECT p.stock INTO v_stock FROM product p WHERE p.product_id = v_product_id FOR UPDATE;
        END IF;

        IF v_stock <= v_reorder_point THEN
            SELECT COUNT(*) INTO v_open FROM production_order o WHERE o.open_product_id = v_product_id;
            SET v_short = NOT v_open;
            -- Nothing is on order, so the position is what is on hand. A plan that was made for another position is none.
            IF v_short AND NOT (p_order_position <=> v_stock) THEN
                ROLLBACK;
                LEAVE decide;
            END IF;
        END IF;

        IF v_sold THEN
            BEGIN
                DECLARE CONTINUE HANDLER FOR 1062 SET v_duplicate = TRUE; -- ER_DUP_ENTRY
                INSERT INTO sale (sale_id, product_id, quantity, unit_price, stock_left, idempotency_key, sold_at)
                VALUES (p_sale_id, v_product_id, p_quantity, v_price, v_stock, p_idempotency_key, p_at);
            END;
            IF v_duplicate THEN
                -- The same key was sold while this call waited for the row: asked again, it finds that sale.
                ROLLBACK;
                LEAVE decide;
            END IF;
            INSERT INTO stock_ledger (product_id, quantity, cause, reference, recorded_at)
            VALUES (v_product_id, -p_quantity, 'sale', p_sale_id, p_at);
        END IF;

        IF v_short AND p_order_quantity > 0 THEN
            INSERT INTO production_order (production_order_id, product_id, quantity, opened_at, correlation)
            VALUES (p_order_id, v_product_id, p_order_quantity, p_at, p_correlation);
            SET v_opened = TRUE;
            SELECT f.identifier INTO v_factory
              FROM product p JOIN factory f ON f.factory_id = p.factory_id
             WHERE p.product_id = v_product_id;
        END IF;
        COMMIT;
        SET v_outcome = IF(v_sold, 'sold', 'refused');
    END decide;

    SELECT v_outcome AS outcome, v_sale_id AS sale_id, v_price AS unit_price, v_stock AS stock, v_opened AS opened,
           v_factory AS factory, v_reorder_point AS reorder_point, v_order_up_to AS order_up_to, v_lot_size AS lot_size;
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
    DECLARE v_stock, v_surplus BIGINT DEFAULT 0;
    DECLARE v_duplicate BOOLEAN DEFAULT FALSE;
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
        -- status is set before received, from its old value: MySQL assigns from left to right.
        UPDATE production_order
           SET status = CASE WHEN received + p_quantity >= quantity THEN 'received' ELSE status END,
               received = received + p_quantity
         WHERE production_order_id = p_order_id;
        SELECT GREATEST(o.received - o.quantity, 0) INTO v_surplus
          FROM production_order o
         WHERE o.production_order_id = p_order_id;
        COMMIT;
        SET v_outcome = 'received';
    END receive;

    SELECT v_outcome AS outcome, v_stock AS stock, v_surplus AS surplus;
END;
-- +goose StatementEnd

-- +goose Down
DROP PROCEDURE IF EXISTS receive_goods;
DROP PROCEDURE IF EXISTS checkout;
