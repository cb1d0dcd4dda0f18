// Package instance has the classes of database instances that a stage may choose, with their
// memory, processors and prices, and the number of connections that they have memory for.
package instance

// A Class is a class of database instances that MariaDB runs on:
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Concepts.DBInstanceClass.Summary.html
type Class struct {
	MemoryGiB, Processors int
	// SingleAZ and MultiAZ are the prices of an hour in ap-northeast-2.
	SingleAZ, MultiAZ Price
}

// A Price is an amount in micro-dollars; 0 is an unknown price.
type Price struct {
	MicroDollars int64
	// Quoted is true if a published copy of AWS's price list has the price, and false if it is from
	// memory. Package cost explains this.
	Quoted bool
}

// Classes are the classes by name.
var Classes = map[string]Class{
	"db.t4g.micro":   {1, 2, Price{25_000, true}, Price{51_000, true}},
	"db.t4g.small":   {2, 2, Price{51_000, true}, Price{102_000, false}},
	"db.t4g.medium":  {4, 2, Price{102_000, true}, Price{204_000, false}},
	"db.t4g.large":   {8, 2, Price{203_000, false}, Price{406_000, false}},
	"db.t4g.xlarge":  {MemoryGiB: 16, Processors: 4},
	"db.t4g.2xlarge": {MemoryGiB: 32, Processors: 8},
	"db.m6g.large":   {MemoryGiB: 8, Processors: 2},
	"db.m6g.xlarge":  {MemoryGiB: 16, Processors: 4},
	"db.m6g.2xlarge": {MemoryGiB: 32, Processors: 8},
	"db.m6g.4xlarge": {MemoryGiB: 64, Processors: 16},
	"db.m6g.8xlarge": {MemoryGiB: 128, Processors: 32},
	"db.m7g.large":   {MemoryGiB: 8, Processors: 2},
	"db.m7g.xlarge":  {MemoryGiB: 16, Processors: 4},
	"db.m7g.2xlarge": {MemoryGiB: 32, Processors: 8},
	"db.m7g.4xlarge": {MemoryGiB: 64, Processors: 16},
	"db.m7g.8xlarge": {MemoryGiB: 128, Processors: 32},
	"db.r6g.large":   {MemoryGiB: 16, Processors: 2},
	"db.r6g.xlarge":  {MemoryGiB: 32, Processors: 4},
	"db.r6g.2xlarge": {MemoryGiB: 64, Processors: 8},
	"db.r6g.4xlarge": {MemoryGiB: 128, Processors: 16},
	"db.r6g.8xlarge": {MemoryGiB: 256, Processors: 32},
	"db.r7g.large":   {MemoryGiB: 16, Processors: 2},
	"db.r7g.xlarge":  {MemoryGiB: 32, Processors: 4},
	"db.r7g.2xlarge": {MemoryGiB: 64, Processors: 8},
	"db.r7g.4xlarge": {MemoryGiB: 128, Processors: 16},
	"db.r7g.8xlarge": {MemoryGiB: 256, Processors: 32},
}

// Connections returns the number of connections that a class has memory for, by RDS's formula:
// DBInstanceClassMemory/12582880, at most 12000. RDS uses the memory without that of its own
// processes. This function uses all memory of the class, so its result is a little above RDS's
// max_connections.
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Limits.html#RDS_Limits.MaxConnections
func (c Class) Connections() int {
	const bytesPerConnection = 12582880
	return min(c.MemoryGiB<<30/bytesPerConnection, 12000)
}
