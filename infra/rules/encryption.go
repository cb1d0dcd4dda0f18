package rules

// checkEncrypted holds that what keeps data keeps it encrypted. A database that was made without stays so until it is replaced:
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Overview.Encryption.html
// A topic is encrypted with a key only: https://docs.aws.amazon.com/sns/latest/dg/sns-server-side-encryption.html
// A queue with SQS's keys or one of KMS: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-server-side-encryption.html
// Secrets and logs always are.
func checkEncrypted(i *inspection) {
	for _, r := range i.OfType(databaseType) {
		if !r.Bool("storageEncrypted") {
			i.report(r, "set it to true", "storageEncrypted is false, want true")
		}
	}
	for _, r := range i.OfType(topicType) {
		if r.String("kmsMasterKeyId") == "" {
			i.report(r, "set it to a key, like alias/aws/sns", "kmsMasterKeyId is empty, want a key")
		}
	}
	for _, r := range i.OfType(queueType) {
		if !r.Bool("sqsManagedSseEnabled") && r.String("kmsMasterKeyId") == "" {
			i.report(r, "set sqsManagedSseEnabled to true", "sqsManagedSseEnabled is false and kmsMasterKeyId is empty, want one of them")
		}
	}
}
