package mariadb

// binaryLog makes the server commit as RDS does. RDS writes a binary log if a database has backups,
// and its default format is MIXED:
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_LogAccess.MariaDB.BinaryFormat.html
//
// A commit then flushes two files: the binary log and InnoDB's redo log. AWS documents
// sync_binlog=1 as RDS's default for MySQL. MariaDB's own default is 0. We assume 1, because a
// database with sync_binlog=0 can lose commits that its backups should contain:
// https://aws.amazon.com/blogs/database/best-practices-for-configuring-parameters-for-amazon-rds-for-mysql-part-2-parameters-related-to-replication/
//
// log_bin_trust_function_creators stays OFF, as on RDS. Only stored functions and triggers need it,
// and the schema has only procedures.
var binaryLog = []string{
	"--log-bin=binlog", // in the data directory
	"--binlog-format=MIXED",
	"--sync-binlog=1",
	"--innodb-flush-log-at-trx-commit=1",
	"--server-id=1",
	// Nothing reads old files of the log, so a kept data directory does not grow. The server
	// removes them at a start and when it begins a new file. RDS removes them early, too.
	"--max-binlog-size=16M",
	"--binlog-expire-logs-seconds=60",
	// Since MariaDB 11.4, a server without a replica would keep them. Earlier servers warn that
	// they do not know this setting.
	"--loose-slave-connections-needed-for-purge=0",
}

// Relaxed are arguments for tests that prove nothing about durability. The server still writes its
// binary log, and so it still rejects statements that the log cannot hold. But a commit flushes
// nothing, which saves most of its time on a slow disk. A killed server loses about a second.
//
// CREATE TABLE and DROP TABLE flush less, too: MariaDB's own tests use --debug-no-sync, because a
// test does not continue after a power failure:
// https://mariadb.com/docs/ent/ref/mdb/cli/mariadbd/debug-no-sync/
var Relaxed = []string{"--sync-binlog=0", "--innodb-flush-log-at-trx-commit=0", "--debug-no-sync"}
