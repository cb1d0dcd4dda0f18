-- A refused buyer takes no lock. Inside a procedure, a subquery in a condition (IF … EXISTS (SELECT …))
-- locks the rows that it reads, although it changes nothing: InnoDB reads without locks in a SELECT
-- statement alone. A delivery holds the order's row and wants its entry in the index
-- production_order_open, which such a subquery locks. So refused buyers and the delivery deadlocked.
-- A procedure asks with SELECT … INTO, and decides by the variable.
--
-- OR REPLACE and not DROP: sales go on while this runs. The procedure is never missing, and the
-- functions' users keep their right to call it, which DROP would take away. (MariaDB only: MySQL has
-- no OR REPLACE for procedures.) Signature and answer are those of 00004, so that code of the version
-- before works.
-- +goose NO TRANSACTION

-- +goose Up
-- +goose StatementBegin
CREATE OR REPLACE PROCEDURE checkout(
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
        -- ER_DUP_ENTRY: the key has its sale already, which is looked up below. The sale is tried before
        -- its key is looked up: a repeated sale costs more, every other one less, and the unique key
        -- decides.
        DECLARE EXIT HANDLER FOR 1062
        BEGIN
            ROLLBACK;
            SET v_outcome = 'undecided';
        END;

        -- What to expect. A manually ordered product never triggers replenishment: -1 makes
        -- "stock <= reorder point" false.
        SELECT p.product_id, p.price, p.stock, IF(p.automatic, p.reorder_point, -1),
               CASE WHEN p.max_per_sale > 0 AND p_quantity > p.max_per_sale THEN 'over_limit'
                    WHEN p.stock < p_quantity THEN 'refused'
                    ELSE 'sold' END
          INTO v_product_id, v_price, v_stock, v_reorder_point, v_outcome
          FROM product p
         WHERE p.sku = p_sku;

        -- Most refusals end here. They have locked and written nothing.
        IF v_outcome <> 'sold' THEN
            IF v_outcome <> 'refused' OR v_stock > v_reorder_point THEN
                LEAVE decide;
            END IF;
            BEGIN
                DECLARE v_on_order BOOLEAN;
                SELECT COUNT(*) INTO v_on_order FROM production_order o WHERE o.open_product_id = v_product_id;
                IF v_on_order THEN
                    LEAVE decide;
                END IF;
            END;
        END IF;

        -- From here to the commit all other buyers of this product wait.
        START TRANSACTION;
        UPDATE product SET stock = LAST_INSERT_ID(stock - p_quantity)
         WHERE product_id = v_product_id AND stock >= p_quantity;
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
                -- Nothing is on order, so the position is what is on hand. A plan for another position
                -- does not count.
                IF v_short AND NOT (p_order_position <=> v_stock) THEN
                    ROLLBACK;
                    SET v_outcome = 'undecided';
                    LEAVE decide;
                END IF;
                IF v_short AND p_order_quantity > 0 THEN
                    -- This locks the product's row shared. The transaction holds it already.
                    INSERT INTO production_order (production_order_id, product_id, factory_id, quantity,
                                                  opened_at, asked_at, correlation)
                    SELECT UNHEX(JSON_VALUE(p_plan, '$.order_id')), p.product_id, p.factory_id, p_order_quantity,
                           p_at, p_at, JSON_VALUE(p_plan, '$.correlation')
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

    -- The answer to almost all buyers is short.
    IF v_outcome = 'sold' AND p_plan IS NULL THEN
        SELECT v_outcome AS outcome, v_price AS unit_price, v_stock AS stock;
    ELSE
        BEGIN
            DECLARE v_sale_id BINARY(16);
            -- A buyer who gets nothing now may have bought before: a repeated checkout gets the first
            -- one's answer, whatever has become of the product.
            IF v_outcome <> 'sold' THEN
                IF p_idempotency_key IS NOT NULL THEN
                    SELECT IF(s.product_id = v_product_id AND s.quantity = p_quantity, 'repeated', 'key_reused'),
                           s.sale_id, s.unit_price, s.stock_left
                      INTO v_outcome, v_sale_id, v_price, v_stock
                      FROM sale s
                     WHERE s.idempotency_key = p_idempotency_key;
                END IF;
            END IF;
            -- No row: there is no such product.
            SELECT v_outcome AS outcome, v_price AS unit_price, v_stock AS stock, v_sale_id AS sale_id, p.max_per_sale,
                   o.asked_at,
                   COALESCE(o.production_order_id = UNHEX(JSON_VALUE(p_plan, '$.order_id')), FALSE) AS opened,
                   f.identifier AS factory,
                   p.reorder_point, p.order_up_to, p.lot_size, p.minimum_order, p.lead_time
              FROM product p
              JOIN factory f ON f.factory_id = p.factory_id
              LEFT JOIN production_order o ON o.open_product_id = p.product_id
             WHERE p.product_id = v_product_id;
        END;
    END IF;
END;
-- +goose StatementEnd

-- +goose Down
-- The procedure of 00004 answers the same: there is nothing to take back.
SELECT 1;
