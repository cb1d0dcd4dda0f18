// Package instance knows the classes of database instances that a stage may choose: their memory,
// their processors, their prices, and how many connections they hold.
package instance

// A Class is a class of database instances that MariaDB runs on:
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Concepts.DBInstanceClass.Summary.html
type Class struct {
	MemoryGiB, Processors int
	// SingleAZ and MultiAZ are what an hour costs in ap-northeast-2.
	SingleAZ, MultiAZ Price
}

// A Price is an amount of micro-dollars; 0 is a price that nobody has looked up.
type Price struct {
	MicroDollars int64
	// Quoted is true where a published copy of AWS's price list has the price, and false where it is
	// from memory. Package cost says more about that.
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

// Connections returns how many connections a class has memory for, by RDS's own formula:
// DBInstanceClassMemory/12582880, at most 12000. RDS takes the memory that its own processes leave;
// this takes all of the class's, so it is an upper bound, and a little above RDS's max_connections.
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Limits.html#RDS_Limits.MaxConnections
func (c Class) Connections() int {
	const bytesPerConnection = 12582880
	return min(c.MemoryGiB<<30/bytesPerConnection, 12000)
}
