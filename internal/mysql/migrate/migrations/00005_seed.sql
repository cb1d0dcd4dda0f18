-- The product and the factory that the shop opens with. Each row is inserted once: what has changed since stays.
-- +goose NO TRANSACTION

-- +goose Up
INSERT IGNORE INTO factory (factory_id, identifier, name, manager_email, api)
VALUES (UNHEX('0188D6A8F0007000800000000000FF01'), 'FF-500293', '부산도너츠 공장', 'factory@example.com', '/api/manufactures');

INSERT IGNORE INTO advertisement (ad_id, status, manager_email)
VALUES (UNHEX('0188D6A8F0007000800000000000AD01'), 'on', 'ads@example.com');

INSERT IGNORE INTO product (product_id, sku, name, price, stock, factory_id, ad_id, reorder_point, order_up_to, lot_size)
VALUES (UNHEX('0188D6A8F0007000800000000000CB01'), 'CP-502101', '부산도너츠', 19900, 3,
        UNHEX('0188D6A8F0007000800000000000FF01'), UNHEX('0188D6A8F0007000800000000000AD01'), 0, 100, 100);

INSERT INTO stock_ledger (product_id, quantity, cause, reference, recorded_at)
SELECT p.product_id, p.stock, 'opening', NULL, UTC_TIMESTAMP(6)
  FROM product p
 WHERE NOT EXISTS (SELECT 1 FROM stock_ledger l WHERE l.product_id = p.product_id);

-- +goose Down
DELETE FROM stock_ledger WHERE cause = 'opening';
DELETE FROM product WHERE sku = 'CP-502101';
DELETE FROM advertisement WHERE ad_id = UNHEX('0188D6A8F0007000800000000000AD01');
DELETE FROM factory WHERE identifier = 'FF-500293';
