package rules

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"

	"restock/infra/graph"
)

// An engine has the limits of RDS for one database engine.
type engine struct {
	userName, databaseName int // characters at most
	versionParts           int // in the family of a parameter group: mariadb10.11, but postgres16
}

// engines are the engines whose limits the rules know. For the names of users, the reference has
// MariaDB's limit only. RDS accepts longer names for the other engines:
// https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html
// https://github.com/floci-io/floci/pull/3730
var engines = map[string]engine{"mariadb": {16, 64, 2}, "mysql": {32, 64, 2}, "postgres": {63, 63, 1}}

// storage has the limits of storage by its type, in GiB, for these engines. The reference says
// nothing about other types.
// https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html
var storage = map[string]limit{
	"gp2": inRange("allocatedStorage", 20, 65536, "GiB"), "gp3": inRange("allocatedStorage", 20, 65536, "GiB"),
	"io1": inRange("allocatedStorage", 100, 65536, "GiB"), "io2": inRange("allocatedStorage", 100, 65536, "GiB"),
	"standard": inRange("allocatedStorage", 5, 3072, "GiB"),
}

var databaseText = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*$`)

// checkEngine checks a database against the limits of its engine: its names, its storage, and that
// its parameter group is for its engine and version.
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_WorkingWithParamGroups.html
func (i *inspection) checkEngine(r *graph.Resource) {
	i.checkStorageGrowth(r)
	engine, known := engines[r.String("engine")]
	if !known {
		return
	}
	const characters = "a letter, then letters, digits and underscores"
	i.checkLimit(r, text("username", 1, engine.userName, databaseText, characters))
	i.checkLimit(r, text("dbName", 1, engine.databaseName, databaseText, characters))
	if l, known := storage[r.String("storageType")]; known {
		i.checkLimit(r, l)
	}
	if r.String("engine") == "mariadb" {
		i.checkLimit(r, notReserved("username", "rdsadmin"))
		i.checkLimit(r, notReserved("dbName", "information_schema", "mysql", "performance_schema", "sys"))
	}
	group := i.Find(graph.ParameterGroup, "name", r.String("parameterGroupName"))
	version := strings.Split(r.String("engineVersion"), ".")
	if group == nil || len(version) < engine.versionParts {
		return
	}
	want := r.String("engine") + strings.Join(version[:engine.versionParts], ".")
	if got := group.String("family"); got != want {
		i.report(group, "build both from one constant", "family is %q, want %q: database %s runs %s %s",
			got, want, r.Name, r.String("engine"), r.String("engineVersion"))
	}
}

// checkStorageGrowth checks the size up to which RDS may enlarge the storage: a tenth more than the
// storage, or 0, with which the AWS provider switches this off. RDS makes no database whose limit
// is the size of its storage.
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_PIOPS.Autoscaling.html
// https://github.com/ministryofjustice/cloud-platform-environments/pull/7483
func (i *inspection) checkStorageGrowth(r *graph.Resource) {
	most, now := r.Number("maxAllocatedStorage"), r.Number("allocatedStorage")
	if most > 0 && 10*most < 11*now {
		least := math.Ceil(11 * now / 10)
		i.report(r, fmt.Sprintf("set maxAllocatedStorage to %v or more, or delete it", least),
			"maxAllocatedStorage is %v GiB, and allocatedStorage %v: RDS refuses a limit below %v GiB",
			most, now, least)
	}
	if most > 65536 {
		i.report(r, "set maxAllocatedStorage to 65536 or less",
			"maxAllocatedStorage is %v, want 65536 GiB at most", most)
	}
}

// notReserved is the limit of a name that must not be a reserved word of MariaDB, nor a name that
// exists already. RDS has the user rdsadmin in every database:
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/MariaDB.Concepts.UsersAndPrivileges.html
func notReserved(property string, existing ...string) limit {
	return limit{property, func(value any) bool {
		name := fmt.Sprint(value)
		return !slices.Contains(reservedWords, strings.ToUpper(name)) && !slices.Contains(existing, name)
	}, "a name that is no reserved word of MariaDB or RDS"}
}

// reservedWords are the words in MariaDB's list that MariaDB 10.11 refuses as the name of a
// database without quotes. It accepts DATABASE, OPTION, SCHEMA and others of older lists. Words
// that only some of the versions since 10.6 reserve are left out.
// https://mariadb.com/docs/server/reference/sql-structure/sql-language-structure/reserved-words
var reservedWords = strings.Fields(`
	ADD ALL ALTER ANALYZE AND AS ASC ASENSITIVE BEFORE BETWEEN BIGINT BINARY BLOB BOTH BY CALL CASCADE CASE CHANGE CHAR
	CHARACTER CHECK COLLATE COLUMN CONDITION CONSTRAINT CONTINUE CONVERT CREATE CROSS CURRENT_DATE CURRENT_ROLE
	CURRENT_TIME CURRENT_TIMESTAMP CURRENT_USER CURSOR DATABASES DAY_HOUR DAY_MICROSECOND DAY_MINUTE DAY_SECOND DEC
	DECIMAL DECLARE DEFAULT DELAYED DELETE DELETE_DOMAIN_ID DESC DESCRIBE DETERMINISTIC DISTINCT DISTINCTROW DIV
	DO_DOMAIN_IDS DOUBLE DROP DUAL EACH ELSE ELSEIF ENCLOSED ESCAPED EXCEPT EXISTS EXIT EXPLAIN FALSE FETCH FLOAT
	FLOAT4 FLOAT8 FOR FORCE FOREIGN FROM FULLTEXT GRANT GROUP HAVING HIGH_PRIORITY HOUR_MICROSECOND HOUR_MINUTE
	HOUR_SECOND IF IGNORE IGNORE_DOMAIN_IDS IN INDEX INFILE INNER INOUT INSENSITIVE INSERT INT INT1 INT2 INT3 INT4 INT8
	INTEGER INTERSECT INTERVAL INTO IS ITERATE JOIN KEY KEYS KILL LEADING LEAVE LEFT LIKE LIMIT LINEAR LINES LOAD
	LOCALTIME LOCALTIMESTAMP LOCK LONG LONGBLOB LONGTEXT LOOP LOW_PRIORITY MASTER_SSL_VERIFY_SERVER_CERT MATCH MAXVALUE
	MEDIUMBLOB MEDIUMINT MEDIUMTEXT MIDDLEINT MINUTE_MICROSECOND MINUTE_SECOND MOD MODIFIES NATURAL NOT
	NO_WRITE_TO_BINLOG NULL NUMERIC OFFSET ON OPTIMIZE OPTIONALLY OR ORDER OUT OUTER OUTFILE OVER PAGE_CHECKSUM
	PARSE_VCOL_EXPR PARTITION PRECISION PRIMARY PROCEDURE PURGE RANGE READ READS READ_WRITE REAL RECURSIVE REFERENCES
	REF_SYSTEM_ID REGEXP RELEASE RENAME REPEAT REPLACE REQUIRE RESIGNAL RESTRICT RETURN RETURNING REVOKE RIGHT RLIKE
	ROWS SCHEMAS SECOND_MICROSECOND SELECT SENSITIVE SEPARATOR SET SHOW SIGNAL SMALLINT SPATIAL SPECIFIC SQL
	SQLEXCEPTION SQLSTATE SQLWARNING SQL_BIG_RESULT SQL_CALC_FOUND_ROWS SQL_SMALL_RESULT SSL STARTING STATS_AUTO_RECALC
	STATS_PERSISTENT STATS_SAMPLE_PAGES STRAIGHT_JOIN TABLE TERMINATED THEN TINYBLOB TINYINT TINYTEXT TO TRAILING
	TRIGGER TRUE UNDO UNION UNIQUE UNLOCK UNSIGNED UPDATE USAGE USE USING UTC_DATE UTC_TIME UTC_TIMESTAMP VALUES
	VARBINARY VARCHAR VARCHARACTER VARYING WHEN WHERE WHILE WITH WRITE XOR YEAR_MONTH ZEROFILL`)
