package rules

import (
	"fmt"
	"slices"
	"strings"

	"restock/infra/graph"
)

// checkEngine checks that the parameter group of a database is for its engine and version, and that
// the storage may grow. RDS refuses other groups.
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_WorkingWithParamGroups.html
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_PIOPS.Autoscaling.html
func (i *inspection) checkEngine(r *graph.Resource) {
	if group := i.Find(graph.ParameterGroup, "name", r.String("parameterGroupName")); group != nil {
		engine, version := r.String("engine"), strings.Split(r.String("engineVersion"), ".")
		parts := 2 // of the version: mariadb10.11, mysql8.0, but postgres16
		if engine == "postgres" {
			parts = 1
		}
		want := engine + strings.Join(version[:min(parts, len(version))], ".")
		if got := group.String("family"); len(version) >= parts && got != want {
			i.report(group, "build both from one constant",
				"family is %q, want %q: database %s runs %s %s", got, want, r.Name, engine, r.String("engineVersion"))
		}
	}
	if most, now := r.Number("maxAllocatedStorage"), r.Number("allocatedStorage"); most > 0 && most < 1.1*now {
		i.report(r, "raise it to a tenth more than allocatedStorage, or delete it",
			"maxAllocatedStorage is %v GiB, and allocatedStorage %v: RDS refuses a limit below %.0f GiB",
			most, now, 1.1*now)
	}
}

// notReserved is the limit of a name that must not be a word of MariaDB or of RDS.
func notReserved(property string) limit {
	return limit{property, func(value any) bool {
		name := strings.ToUpper(fmt.Sprint(value))
		return !slices.Contains(reservedWords, name)
	}, "a name that is no reserved word of MariaDB or RDS"}
}

// reservedWords are the reserved words of MariaDB, its system databases, and the users of RDS.
// https://mariadb.com/docs/server/reference/sql-structure/sql-language-structure/reserved-words
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/MariaDB.Concepts.UsersAndPrivileges.html
var reservedWords = strings.Fields(`
	RDSADMIN RDSREPLADMIN MYSQL SYS INFORMATION_SCHEMA PERFORMANCE_SCHEMA
	ACCESSIBLE ADD ALL ALTER ANALYZE AND AS ASC ASENSITIVE BEFORE BETWEEN BIGINT BINARY BLOB BOTH BY CALL CASCADE
	CASE CHANGE CHAR CHARACTER CHECK COLLATE COLUMN CONDITION CONSTRAINT CONTINUE CONVERT CREATE CROSS CURRENT_DATE
	CURRENT_ROLE CURRENT_TIME CURRENT_TIMESTAMP CURRENT_USER CURSOR DATABASE DATABASES DAY_HOUR DAY_MICROSECOND
	DAY_MINUTE DAY_SECOND DEC DECIMAL DECLARE DEFAULT DELAYED DELETE DELETE_DOMAIN_ID DESC DESCRIBE DETERMINISTIC
	DISTINCT DISTINCTROW DIV DO_DOMAIN_IDS DOUBLE DROP DUAL EACH ELSE ELSEIF ENCLOSED ESCAPED EXCEPT EXISTS EXIT
	EXPLAIN FALSE FETCH FLOAT FLOAT4 FLOAT8 FOR FORCE FOREIGN FROM FULLTEXT GENERAL GRANT GROUP HAVING HIGH_PRIORITY
	HOUR_MICROSECOND HOUR_MINUTE HOUR_SECOND IF IGNORE IGNORE_DOMAIN_IDS IGNORE_SERVER_IDS IN INDEX INFILE INNER
	INOUT INSENSITIVE INSERT INT INT1 INT2 INT3 INT4 INT8 INTEGER INTERSECT INTERVAL INTO IS ITERATE JOIN KEY KEYS
	KILL LEADING LEAVE LEFT LIKE LIMIT LINEAR LINES LOAD LOCALTIME LOCALTIMESTAMP LOCK LONG LONGBLOB LONGTEXT LOOP
	LOW_PRIORITY MASTER_HEARTBEAT_PERIOD MASTER_SSL_VERIFY_SERVER_CERT MATCH MAXVALUE MEDIUMBLOB MEDIUMINT
	MEDIUMTEXT MIDDLEINT MINUTE_MICROSECOND MINUTE_SECOND MOD MODIFIES NATURAL NOT NO_WRITE_TO_BINLOG NULL NUMERIC
	OFFSET ON OPTIMIZE OPTION OPTIONALLY OR ORDER OUT OUTER OUTFILE OVER PAGE_CHECKSUM PARSE_VCOL_EXPR PARTITION
	PRECISION PRIMARY PROCEDURE PURGE RANGE READ READS READ_WRITE REAL RECURSIVE REFERENCES REF_SYSTEM_ID REGEXP
	RELEASE RENAME REPEAT REPLACE REQUIRE RESIGNAL RESTRICT RETURN RETURNING REVOKE RIGHT RLIKE ROWS ROW_NUMBER
	SCHEMA SCHEMAS SECOND_MICROSECOND SELECT SENSITIVE SEPARATOR SET SHOW SIGNAL SLOW SMALLINT SPATIAL SPECIFIC SQL
	SQLEXCEPTION SQLSTATE SQLWARNING SQL_BIG_RESULT SQL_CALC_FOUND_ROWS SQL_SMALL_RESULT SSL STARTING
	STATS_AUTO_RECALC STATS_PERSISTENT STATS_SAMPLE_PAGES STRAIGHT_JOIN TABLE TERMINATED THEN TINYBLOB TINYINT
	TINYTEXT TO TRAILING TRIGGER TRUE UNDO UNION UNIQUE UNLOCK UNSIGNED UPDATE USAGE USE USING UTC_DATE UTC_TIME
	UTC_TIMESTAMP VALUES VARBINARY VARCHAR VARCHARACTER VARYING WHEN WHERE WHILE WINDOW WITH WRITE XOR YEAR_MONTH
	ZEROFILL`)
