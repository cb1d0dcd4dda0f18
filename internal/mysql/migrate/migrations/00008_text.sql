-- Under utf8mb4_unicode_ci all emoji are equal: of two products whose names differ in an emoji, the
-- second could not be created. utf8mb4_unicode_520_ci distinguishes them, and still refuses two names
-- that look the same to a reader ("Café" and "CAFE"). MySQL and MariaDB both have it.
--
-- A reason is compared where an idempotency key is used again: only the same reason is the same
-- adjustment, so its collation is utf8mb4_bin. (Any other one could not be compared with the parameter
-- of adjust_stock.)
--
-- product and factory are copied, which their size makes a matter of milliseconds. A statement waits
-- 10 s at most for transactions that use the table, because all others wait behind it. A migration that
-- fails can be run again.
-- +goose NO TRANSACTION

-- +goose Up
SET SESSION lock_wait_timeout = 10;
ALTER TABLE product MODIFY name VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_520_ci NOT NULL;
ALTER TABLE factory MODIFY name VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_520_ci NOT NULL;
ALTER TABLE adjustment MODIFY reason VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL;

-- +goose Down
-- Names may differ by now that were equal before: there is no way back.
SELECT 1;
