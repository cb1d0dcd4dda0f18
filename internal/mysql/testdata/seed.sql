-- What the migration 00005 put into every database until the release before. Tests of later
-- migrations begin with it.
INSERT IGNORE INTO factory (factory_id, identifier, name, manager_email, api)
VALUES (UNHEX('0188D6A8F0007000800000000000FF01'), 'FF-500293', '부산도너츠 공장', 'factory@example.com', '/api/manufactures');

INSERT IGNORE INTO advertisement (ad_id, status, manager_email)
VALUES (UNHEX('0188D6A8F0007000800000000000AD01'), 'on', 'ads@example.com'),
       (UNHEX('0188D6A8F0007000800000000000AD02'), 'on', 'ads@example.com'),
       (UNHEX('0188D6A8F0007000800000000000AD03'), 'on', 'ads@example.com');

INSERT IGNORE INTO product (product_id, sku, name, price, stock, factory_id, ad_id,
                            reorder_point, order_up_to, lot_size, minimum_order, lead_time, automatic, max_per_sale)
VALUES (UNHEX('0188D6A8F0007000800000000000CB01'), 'CP-502101', '부산도너츠', 19900, 3,
        UNHEX('0188D6A8F0007000800000000000FF01'), UNHEX('0188D6A8F0007000800000000000AD01'), 0, 100, 100, 0, 60, TRUE, 0),
       (UNHEX('0188D6A8F0007000800000000000CB02'), 'CP-502102', '꽈배기', 2500, 60,
        UNHEX('0188D6A8F0007000800000000000FF01'), UNHEX('0188D6A8F0007000800000000000AD02'), 20, 100, 20, 40, 60, TRUE, 20),
       (UNHEX('0188D6A8F0007000800000000000CB03'), 'CP-502103', '찹쌀도너츠', 3200, 30,
        UNHEX('0188D6A8F0007000800000000000FF01'), UNHEX('0188D6A8F0007000800000000000AD03'), 10, 60, 10, 0, 60, FALSE, 5);

INSERT INTO stock_ledger (product_id, quantity, cause, reference, recorded_at)
SELECT p.product_id, p.stock, 'opening', NULL, UTC_TIMESTAMP(6)
  FROM product p
 WHERE NOT EXISTS (SELECT 1 FROM stock_ledger l WHERE l.product_id = p.product_id);
