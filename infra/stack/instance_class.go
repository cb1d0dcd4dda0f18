package stack

// instanceMemoryGiB is the memory of the instance classes that MariaDB runs on and that the shop may be given:
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Concepts.DBInstanceClass.Summary.html
var instanceMemoryGiB = map[string]int{
	"db.t4g.micro": 1, "db.t4g.small": 2, "db.t4g.medium": 4, "db.t4g.large": 8, "db.t4g.xlarge": 16, "db.t4g.2xlarge": 32,
	"db.m6g.large": 8, "db.m6g.xlarge": 16, "db.m6g.2xlarge": 32, "db.m6g.4xlarge": 64, "db.m6g.8xlarge": 128,
	"db.m7g.large": 8, "db.m7g.xlarge": 16, "db.m7g.2xlarge": 32, "db.m7g.4xlarge": 64, "db.m7g.8xlarge": 128,
	"db.r6g.large": 16, "db.r6g.xlarge": 32, "db.r6g.2xlarge": 64, "db.r6g.4xlarge": 128, "db.r6g.8xlarge": 256,
	"db.r7g.large": 16, "db.r7g.xlarge": 32, "db.r7g.2xlarge": 64, "db.r7g.4xlarge": 128, "db.r7g.8xlarge": 256,
}

// connectionsHeld is how many connections an instance class has memory for, by RDS's own measure: DBInstanceClassMemory/12582880, at most 12000.
// RDS takes what is left of the memory after its own processes; this takes the class's, so it is a bound, and a little above what RDS would
// set max_connections to.
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Limits.html#RDS_Limits.MaxConnections
func connectionsHeld(class string) int {
	const bytesPerConnection = 12582880
	return min(instanceMemoryGiB[class]<<30/bytesPerConnection, 12000)
}
