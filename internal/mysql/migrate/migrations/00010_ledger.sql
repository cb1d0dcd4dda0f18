-- The ledger of before moves into bins and movements, while the shop sells:
--
--  1. carry_over copies each product's ledger, a few thousand entries at a time. It has the product's
--     row locked meanwhile, as every writer of the version before has, so the product's buyers wait for
--     one batch.
--  2. For the moment that the last entries need, the procedures of the version before answer that the
--     shop is not available. Its functions pass that on with Retry-After.
--  3. checkout sells from the bins, so functions of the version before go on selling. They cannot adjust
--     stock or order by hand until they are replaced.
--
-- What such a function receives from the factory after step 2 is in the old tables only. CALL
-- carry_over() brings it over, at any time. The migration that drops the old tables does so, too.
--
-- A migration that fails can be run again.
-- +goose NO TRANSACTION

-- +goose Up
SET SESSION lock_wait_timeout = 10;
-- The ledger becomes the stock. If they differ, somebody must say first which one is right: correct
-- product.stock, or add the difference to stock_ledger. The shop sells meanwhile.
-- +goose StatementBegin
BEGIN NOT ATOMIC
    DECLARE v_wrong VARCHAR(120) CHARACTER SET ascii;
    SELECT CONCAT(p.sku, ' has stock ', p.stock, ', its stock_ledger adds up to ', p.ledger) INTO v_wrong
      FROM (SELECT q.sku, q.stock, (SELECT COALESCE(SUM(l.quantity), 0) FROM stock_ledger l
                                     WHERE l.product_id = q.product_id) AS ledger FROM product q) p
     WHERE p.stock <> p.ledger
     ORDER BY p.sku LIMIT 1;
    IF v_wrong IS NOT NULL THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = v_wrong;
    END IF;
END;
-- +goose StatementEnd
ALTER TABLE product ALTER COLUMN stock SET DEFAULT 0; -- new functions do not write it

-- Up to which entry of stock_ledger a product was carried over.
CREATE TABLE IF NOT EXISTS carried_over (
    product_id BINARY(16) NOT NULL,
    entry_id   BIGINT     NOT NULL DEFAULT 0,
    PRIMARY KEY (product_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

-- +goose StatementBegin
CREATE OR REPLACE PROCEDURE carry_over()
    MODIFIES SQL DATA
    SQL SECURITY INVOKER
BEGIN
    DECLARE v_from, v_to, v_quantity, v_entries, v_number BIGINT;
    DECLARE v_batch INT DEFAULT 5000;
    DECLARE v_lock VARCHAR(64) DEFAULT LEFT(CONCAT('carry_over ', DATABASE()), 64); -- the longest name of a lock
    DECLARE EXIT HANDLER FOR SQLEXCEPTION
    BEGIN
        ROLLBACK;
        DO RELEASE_LOCK(v_lock);
        RESIGNAL;
    END;

    -- A second call waits, and then finds little to do.
    IF NOT GET_LOCK(v_lock, 60) <=> 1 THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'another carry_over has run for 60 s';
    END IF;
    FOR p IN (SELECT product_id FROM product) DO
        INSERT IGNORE INTO carried_over (product_id) VALUES (p.product_id);
        -- Only if it is missing: the foreign key locks the product before the INSERT waits for the bin, and
        -- a sale locks them the other way round.
        SELECT COUNT(*) INTO v_entries FROM bin b WHERE b.product_id = p.product_id;
        IF v_entries = 0 THEN
            INSERT IGNORE INTO bin (product_id, bin) VALUES (p.product_id, 0);
        END IF;
        REPEAT
            -- The bins come before the product, as in every other transaction.
            START TRANSACTION;
            SELECT SUM(b.stock) INTO v_quantity FROM bin b WHERE b.product_id = p.product_id FOR UPDATE;
            SELECT c.entry_id INTO v_from
              FROM product q JOIN carried_over c ON c.product_id = q.product_id
             WHERE q.product_id = p.product_id
               FOR UPDATE;
            -- The factory may repeat a callback, also with a larger quantity. If an old function got the first
            -- one and a new function the second, the new one did not know, and booked the whole quantity.
            FOR r IN (SELECT l.entry_id, l.quantity, g.production_order_id
                        FROM stock_ledger l
                        JOIN goods_receipt g ON g.attempt_id = l.reference
                       WHERE l.product_id = p.product_id AND l.entry_id > v_from AND l.cause = 'receipt'
                         AND EXISTS (SELECT * FROM movement m
                                      WHERE m.idempotency_key LIKE CONCAT('receipt\t', LOWER(REGEXP_REPLACE(
                                            HEX(l.reference), '^(.{8})(.{4})(.{4})(.{4})', '\\1-\\2-\\3-\\4-')), '/%')
                                        AND SUBSTRING_INDEX(m.idempotency_key, '/', -1) + 0 >= g.quantity)) DO
                UPDATE production_order o SET o.received = o.received - r.quantity
                 WHERE o.production_order_id = r.production_order_id;
                DELETE FROM stock_ledger WHERE entry_id = r.entry_id;
            END FOR;
            SELECT COUNT(*), MAX(e.entry_id), SUM(e.quantity) INTO v_entries, v_to, v_quantity
              FROM (SELECT l.entry_id, l.quantity FROM stock_ledger l
                     WHERE l.product_id = p.product_id AND l.entry_id > v_from
                     ORDER BY l.entry_id LIMIT v_batch) e;
            IF v_entries > 0 THEN
                SELECT b.entries INTO v_number FROM bin b WHERE b.product_id = p.product_id AND b.bin = 0;
                -- A sale and an adjustment could have the same key. The key of such an adjustment is lost,
                -- also if the adjustment was carried over before the sale was made.
                FOR k IN (SELECT a.idempotency_key
                            FROM stock_ledger l
                            JOIN sale s ON s.sale_id = l.reference
                            JOIN adjustment a ON a.idempotency_key = s.idempotency_key
                           WHERE l.product_id = p.product_id AND l.entry_id > v_from AND l.entry_id <= v_to
                             AND l.cause = 'sale') DO
                    UPDATE movement m SET m.idempotency_key = NULL
                     WHERE m.idempotency_key = k.idempotency_key AND m.cause = 'adjustment';
                END FOR;
                INSERT INTO movement (product_id, bin, number, quantity, cause, reference, unit_price, stock_left, reason,
                                      idempotency_key, recorded_at, correlation)
                SELECT l.product_id, 0, v_number + ROW_NUMBER() OVER (ORDER BY l.entry_id), l.quantity, l.cause,
                       COALESCE(r.production_order_id, l.reference), s.unit_price,
                       COALESCE(s.stock_left, a.stock_left, r.stock_left), a.reason,
                       CASE l.cause
                           WHEN 'sale' THEN s.idempotency_key
                           WHEN 'adjustment' THEN (SELECT IF(COUNT(*), NULL, a.idempotency_key) FROM sale t
                                                    WHERE t.idempotency_key = a.idempotency_key)
                           WHEN 'receipt' THEN CONCAT('receipt\t',
                               LOWER(REGEXP_REPLACE(HEX(l.reference), '^(.{8})(.{4})(.{4})(.{4})', '\\1-\\2-\\3-\\4-')), '/',
                               -- Most attempts have one entry. The sum over the others of a corrected one
                               -- reads the product's whole ledger.
                               IF(l.quantity = r.quantity, l.quantity,
                                  (SELECT SUM(u.quantity) FROM stock_ledger u
                                    WHERE u.product_id = l.product_id AND u.entry_id <= l.entry_id
                                      AND u.cause = 'receipt' AND u.reference = l.reference)))
                       END,
                       l.recorded_at, COALESCE(o.correlation, '')
                  FROM stock_ledger l
                  LEFT JOIN sale s ON l.cause = 'sale' AND s.sale_id = l.reference
                  LEFT JOIN adjustment a ON l.cause = 'adjustment' AND a.adjustment_id = l.reference
                  LEFT JOIN goods_receipt r ON l.cause = 'receipt' AND r.attempt_id = l.reference
                  LEFT JOIN production_order o ON o.production_order_id = r.production_order_id
                 WHERE l.product_id = p.product_id AND l.entry_id > v_from AND l.entry_id <= v_to;
                UPDATE bin b SET b.stock = b.stock + v_quantity, b.entries = b.entries + v_entries
                 WHERE b.product_id = p.product_id AND b.bin = 0;
                UPDATE carried_over c SET c.entry_id = v_to WHERE c.product_id = p.product_id;
            END IF;
            IF v_entries < v_batch THEN
                CALL move(p.product_id, 0, NULL, NULL, NULL, NULL, NULL, NULL, UTC_TIMESTAMP(6), ''); -- the floors
            END IF;
            COMMIT;
        UNTIL v_entries < v_batch END REPEAT;
    END FOR;
    DO RELEASE_LOCK(v_lock);
END;
-- +goose StatementEnd
CALL carry_over();

-- CREATE OR REPLACE waits until no call of the old procedure runs.
-- +goose StatementBegin
CREATE OR REPLACE PROCEDURE checkout(
    IN p_sale_id BINARY(16),
    IN p_sku VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_quantity INT,
    IN p_idempotency_key VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_at DATETIME(6),
    IN p_plan JSON
)
    SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = 1290, MESSAGE_TEXT = 'the shop is being updated: try again';
-- +goose StatementEnd
-- +goose StatementBegin
CREATE OR REPLACE PROCEDURE replenish(
    IN p_sku VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_by_hand BOOLEAN,
    IN p_at DATETIME(6),
    IN p_order_id BINARY(16),
    IN p_order_position BIGINT,
    IN p_order_quantity INT,
    IN p_correlation VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin
)
    SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = 1290, MESSAGE_TEXT = 'the shop is being updated: try again';
-- +goose StatementEnd
-- +goose StatementBegin
CREATE OR REPLACE PROCEDURE adjust_stock(
    IN p_adjustment_id BINARY(16),
    IN p_sku VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_quantity INT,
    IN p_reason VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci,
    IN p_idempotency_key VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_at DATETIME(6)
)
    SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = 1290, MESSAGE_TEXT = 'the shop is being updated: try again';
-- +goose StatementEnd
CALL carry_over();

-- SQL SECURITY DEFINER: the functions' user gets its rights on the new tables after the migration.
-- +goose StatementBegin
CREATE OR REPLACE PROCEDURE checkout(
    IN p_sale_id BINARY(16),
    IN p_sku VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_quantity INT,
    IN p_idempotency_key VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_at DATETIME(6),
    IN p_plan JSON
)
    MODIFIES SQL DATA
    SQL SECURITY DEFINER
    CALL sell(p_sale_id, p_sku, p_quantity, p_idempotency_key, p_at, COALESCE(JSON_VALUE(p_plan, '$.correlation'), ''), p_plan);
-- +goose StatementEnd

-- +goose Down
-- Sales are in the new tables by now: there is no way back.
SELECT 1;
