package conformance

const (
	noMoveTasks   = "message move tasks are not implemented"
	noSignatures  = "signatures are not checked"
	noUnsigned    = "the service of an unsigned request is taken for S3, which lists its buckets"
	noTopicPolicy = "topics send to every queue, whatever its policy"
)

// knownDifferences are the cases in which moto's server, version 5.2.1, differs from AWS's
// documentation: by test and case, what moto does instead.
var knownDifferences = map[string]map[string]difference{
	"TestSQSQueues": {
		"an unknown attribute cannot be set":                  "it is stored",
		"an attribute outside its range is refused":           "it is stored",
		"a changed attribute takes effect":                    "timestamps have fractions of a second",
		"a deleted queue's name is reserved for 60 seconds":   "the name is free at once",
		"queues are listed by prefix, in pages of MaxResults": "MaxResults is ignored",
		"a second purge within 60 seconds is refused":         "it succeeds",
	},
	"TestSQSMessages": {
		"a message needs a body":                            "an empty body is sent",
		"characters that XML does not allow are refused":    "they are sent",
		"the size limit counts the body and the attributes": "attributes are not counted",
		"a message has at most 10 attributes":               "more are sent",
		"an attribute's name may not begin with AWS.":       "the message is sent",
		"only a message in flight has a visibility timeout": "its visibility timeout changes",
	},
	"TestSQSBatches": {
		"each message of a batch succeeds or fails by itself": "the bad message is sent",
	},
	"TestSQSRedrive": {
		"a message in the dead-letter queue says where it came from": "the message does not have the attribute",
		"a redrive policy names a queue that exists":                 "the code is NonExistentQueue",
		"maxReceiveCount is 1 to 1,000":                              "any number is stored",
		"a dead-letter queue can refuse its source queues":           "RedriveAllowPolicy is stored and ignored",
	},
	"TestSQSMessageMoveTasks": {
		"a task moves messages back to the queue that they came from":                noMoveTasks,
		"a moved message is a new one":                                               noMoveTasks,
		"a task moves messages to another queue":                                     noMoveTasks,
		"a task that runs is listed with its handle and rate, and can be cancelled":  noMoveTasks,
		"a queue has one task at a time":                                             noMoveTasks,
		"a task fails for messages that were sent directly to the dead-letter queue": noMoveTasks,
		"MaxResults defaults to 1, the latest task":                                  noMoveTasks,
		"only a dead-letter queue's messages can be moved":                           noMoveTasks,
		"a queue that does not exist has no messages to move":                        noMoveTasks,
		"at most 500 messages a second are moved":                                    noMoveTasks,
		"a finished task cannot be cancelled":                                        noMoveTasks,
	},
	"TestSNSTopics": {
		"a topic counts its subscriptions": "the counts are 0",
	},
	"TestSNSPublishRefuses": {
		"an empty message":             "it is published",
		"a subject with two lines":     "it is published",
		"an attribute without a value": "the code is InvalidParameter",
	},
	"TestSNSDelivery": {
		"raw delivery discards a message of more than 10 attributes":                 "it is delivered",
		"a message for a deleted queue goes to the subscription's dead-letter queue": "Publish fails",
		"a redrive policy names a queue":                                             "any text is stored",
		"each message of a batch succeeds or fails by itself":                        "the bad message is published",
		"an empty batch is refused":                                                  "it succeeds",
		"the messages of a batch are at most 256 KiB together":                       "the size is not checked",
	},
	"TestSNSFilterPolicies": {
		"anything-but, in an array": "one element in the list is enough to reject the message",
		"cidr":                      "the operator is unknown",
		"body, numbers":             "Publish fails with status 500 if the body has a text",
	},
	"TestSNSFilterPoliciesAreRefused": {
		"invalid JSON":               "Subscribe fails with status 500",
		"an operand of another type": "it is stored",
		"an unknown scope":           "it is stored",
	},
	"TestSignatures": {
		"sqs: an unknown key is refused":                            noSignatures,
		"sqs: a wrong secret is refused":                            noSignatures,
		"sqs: a signature for another region is refused":            noSignatures,
		"sqs: an unsigned request is refused":                       noUnsigned,
		"sns: an unknown key is refused":                            noSignatures,
		"sns: a wrong secret is refused":                            noSignatures,
		"sns: a signature for another region is refused":            noSignatures,
		"sns: an unsigned request is refused":                       noUnsigned,
		"secretsmanager: an unknown key is refused":                 noSignatures,
		"secretsmanager: a wrong secret is refused":                 noSignatures,
		"secretsmanager: a signature for another region is refused": noSignatures,
		"secretsmanager: an unsigned request is refused":            noUnsigned,
	},
	"TestPermissionsOfTopics": {
		"a queue without a policy refuses messages from a topic":   noTopicPolicy,
		"a policy applies from when it is set until it is removed": noTopicPolicy,
		"a condition on the topic's ARN allows only that topic":    noTopicPolicy,
		"a Deny overrides an Allow":                                noTopicPolicy,
		"an invalid policy is refused":                             "it is stored",
	},
	"TestSecretValues": {
		"a request must have either a text or bytes":            "a version may have both, or neither",
		"a value may have 65,536 bytes and no more":             "a value may have any size",
		"UpdateSecret refuses the token of an existing version": "the same value is accepted",
	},
	"TestSecretVersions": {
		"AWSCURRENT moves back to the previous version":                 "GetSecretValue returns the other version",
		"AWSCURRENT cannot be removed":                                  "it is removed",
		"an attached label moves only if the request names its version": "a custom label is then on two versions",
		"versions without labels are not described":                     "they are described, with an empty list",
		"versions without labels are listed on request":                 "they are always listed, and ARN is the name",
		"versions are listed in pages":                                  "MaxResults is ignored",
		"a missing secret has no versions to list":                      "the server fails with an HTML page",
	},
	"TestSecrets": {
		"a name has only letters, digits and /_+=.@-":               "a name may have any characters",
		"DescribeSecret has the day of the last read":               "the field is missing",
		"a secret that is marked for deletion cannot be changed":    "values can be stored",
		"the name of a secret that is marked for deletion is taken": "the code is ResourceExistsException",
	},
	"TestRandomPasswords": {
		"PasswordLength is at most 4,096":                              "the code is InvalidParameterValue",
		"a password that requires each type has at least 4 characters": "fewer than 4 characters are always refused",
	},
	"TestSecretRotation": {
		"a secret without a rotation function is not rotated":  "a version without a value becomes AWSCURRENT",
		"rules that Secrets Manager does not have are refused": "only AutomaticallyAfterDays is checked",
	},
}
