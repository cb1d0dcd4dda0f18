-- A buyer of a sold-out product can wait for it. A row is one place on the product's waitlist, and
-- its own outbox: the movement that brings stock answers it, and the buyer's page reads the row
-- until the buyer has seen the answer. Nobody sends a message.
--
-- number       the order of a product's entries
-- expires_at   an entry that nobody answered by then is over. The sweep deletes it a day later
-- answered_at  when stock came for the entry; null: it waits
--
-- Every transaction that writes entries of a product has locked the product's bins. So no entry
-- comes while stock comes, the numbers follow the order of the commits, and the locks of entries
-- cannot deadlock with those of bins.
--
-- Keys of this table are apart from those of movements.
-- +goose NO TRANSACTION

-- +goose Up
SET SESSION lock_wait_timeout = 10;
CREATE TABLE IF NOT EXISTS waitlist (
    entry_id        BINARY(16)   NOT NULL,
    product_id      BINARY(16)   NOT NULL,
    number          BIGINT       NOT NULL,
    idempotency_key VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NULL,
    joined_at       DATETIME(6)  NOT NULL,
    expires_at      DATETIME(6)  NOT NULL,
    answered_at     DATETIME(6)  NULL,
    PRIMARY KEY (entry_id),
    UNIQUE KEY waitlist_number (product_id, number),
    UNIQUE KEY waitlist_idempotency_key (idempotency_key),
    KEY waitlist_waiting (product_id, answered_at, number, expires_at),
    KEY waitlist_expires (expires_at),
    CONSTRAINT waitlist_product FOREIGN KEY (product_id) REFERENCES product (product_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

-- move is that of migration 00009, and answers the waitlist.
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
    DECLARE v_bins, v_stock, v_floors, v_quantity, v_last BIGINT;
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

    -- Each piece that comes calls one buyer, in order: 80 pieces do not call 5,000 people. A spread
    -- or a sale calls nobody.
    IF v_quantity > 0 THEN
        BEGIN
            -- ER_TABLEACCESS_DENIED_ERROR: setup grants the rights on the table after the migration.
            -- Until then no function can write an entry, so nobody waits.
            DECLARE CONTINUE HANDLER FOR 1142 BEGIN END;
            SELECT MAX(q.number) INTO v_last
              FROM (SELECT w.number FROM waitlist w
                     WHERE w.product_id = p_product_id AND w.answered_at IS NULL AND w.expires_at > p_at
                     ORDER BY w.number LIMIT v_quantity) q;
            IF v_last IS NOT NULL THEN
                UPDATE waitlist w SET w.answered_at = p_at
                 WHERE w.product_id = p_product_id AND w.answered_at IS NULL AND w.expires_at > p_at
                   AND w.number <= v_last;
            END IF;
        END;
    END IF;
END;
-- +goose StatementEnd

-- +goose Down
-- move reads the table: there is no way back without the procedure of migration 00009.
SELECT 1;
