package conformance

import "maps"

// knownDifferences are the cases in which moto's server, as of version 5.2.1, differs from AWS's documentation: by the name of the
// case, what moto does instead. The page that decides is the case's.
var knownDifferences = map[string]difference{}

func init() {
	for _, service := range []map[string]difference{sqsDifferences, snsDifferences, secretsManagerDifferences, iamDifferences} {
		maps.Copy(knownDifferences, service)
	}
}

const noMoveTasks = "it has no message move tasks"

var sqsDifferences = map[string]difference{
	"TestSQSQueues/an attribute that does not exist cannot be set":          "it is kept",
	"TestSQSQueues/an attribute outside its range is refused":               "it is kept",
	"TestSQSQueues/an attribute that is set holds from then on":             "timestamps have fractions of a second",
	"TestSQSQueues/a deleted queue's name is not free for 60 seconds":       "the name is free at once",
	"TestSQSQueues/queues are listed by prefix, in pages for those who ask": "MaxResults is ignored",
	"TestSQSQueues/a second purge within 60 seconds is refused":             "it purges again",

	"TestSQSMessages/a message needs a body":                                              "an empty body is sent",
	"TestSQSMessages/characters outside of XML's are refused":                             "they are sent",
	"TestSQSMessages/body and attributes together keep the queue's size limit":            "attributes are not counted",
	"TestSQSMessages/a message has at most 10 attributes":                                 "more are sent",
	"TestSQSMessages/an attribute's name may not begin with AWS.":                         "it may",
	"TestSQSMessages/a message that is not in flight has no visibility timeout to change": "it is hidden",

	"TestSQSBatches/each message of a batch succeeds or fails by itself": "characters outside of XML's are sent",

	"TestSQSRedrive/a message in the dead-letter queue says where it came from": "the message does not have the attribute",
	"TestSQSRedrive/a redrive policy names a queue that exists":                 "the code is NonExistentQueue, which SetQueueAttributes has for the queue itself",
	"TestSQSRedrive/maxReceiveCount is 1 to 1,000":                              "any number is kept",
	"TestSQSRedrive/a dead-letter queue may refuse to be one":                   "RedriveAllowPolicy is kept and not heeded",

	"TestSQSMessageMoveTasks/a task moves messages back to the queue that they came from":               noMoveTasks,
	"TestSQSMessageMoveTasks/a moved message is a new one":                                              noMoveTasks,
	"TestSQSMessageMoveTasks/a task moves messages to another queue":                                    noMoveTasks,
	"TestSQSMessageMoveTasks/a task that runs is listed with its handle and rate, and can be cancelled": noMoveTasks,
	"TestSQSMessageMoveTasks/a queue has one task at a time":                                            noMoveTasks,
	"TestSQSMessageMoveTasks/a task whose messages were sent to the dead-letter queue itself fails":     noMoveTasks,
	"TestSQSMessageMoveTasks/one task is listed unless more are asked for, the latest first":            noMoveTasks,
	"TestSQSMessageMoveTasks/only a dead-letter queue's messages can be moved":                          noMoveTasks,
	"TestSQSMessageMoveTasks/a queue that does not exist has no messages to move":                       noMoveTasks,
	"TestSQSMessageMoveTasks/at most 500 messages a second are moved":                                   noMoveTasks,
	"TestSQSMessageMoveTasks/a task that is over cannot be cancelled":                                   noMoveTasks,
}

var snsDifferences = map[string]difference{
	"TestSNSTopics/a topic counts its subscriptions": "the counts are 0",

	"TestSNSPublishRefuses/an empty message":             "it is published",
	"TestSNSPublishRefuses/a subject of two lines":       "it is published",
	"TestSNSPublishRefuses/an attribute without a value": "the code is InvalidParameter",

	"TestSNSDelivery/raw delivery discards a message of more than 10 attributes":                      "it is delivered",
	"TestSNSDelivery/a message for a queue that is gone goes to the subscription's dead-letter queue": "Publish fails, and RedrivePolicy is not heeded",
	"TestSNSDelivery/a redrive policy names a queue":                                                  "any text is kept",
	"TestSNSDelivery/each message of a batch succeeds or fails by itself":                             "a subject of two lines is published",
	"TestSNSDelivery/a batch has a message":                                                           "an empty batch is no error",
	"TestSNSDelivery/the messages of a batch are at most 256 KiB together":                            "the size is not checked",

	"TestSNSFilterPolicies/anything-but, in an array": "none of the array's elements may be in the list",
	"TestSNSFilterPolicies/cidr":                      "the operator is unknown",
	"TestSNSFilterPolicies/body, numbers":             "a text where the policy has a number makes Publish fail with status 500",

	"TestSNSFilterPoliciesAreRefused/no JSON":                    "Subscribe fails with status 500",
	"TestSNSFilterPoliciesAreRefused/an operand of another type": "it is kept",
	"TestSNSFilterPoliciesAreRefused/an unknown scope":           "it is kept",
}

const (
	noSignatures = "signatures are not looked at"
	noNobody     = "it does not know which service a request is for that is not signed, and answers with S3's list of buckets"
	noPolicies   = "topics send to every queue, whatever its policy"
)

var iamDifferences = map[string]difference{
	"TestSignatures/sqs: an unknown key is refused":                 noSignatures,
	"TestSignatures/sqs: a wrong secret is refused":                 noSignatures,
	"TestSignatures/sqs: an unsigned request is refused":            noNobody,
	"TestSignatures/sns: an unknown key is refused":                 noSignatures,
	"TestSignatures/sns: a wrong secret is refused":                 noSignatures,
	"TestSignatures/sns: an unsigned request is refused":            noNobody,
	"TestSignatures/secretsmanager: an unknown key is refused":      noSignatures,
	"TestSignatures/secretsmanager: a wrong secret is refused":      noSignatures,
	"TestSignatures/secretsmanager: an unsigned request is refused": noNobody,

	"TestPermissionsOfTopics/a queue without a policy takes nothing from a topic":     noPolicies,
	"TestPermissionsOfTopics/a policy counts from when it is set until it is removed": noPolicies,
	"TestPermissionsOfTopics/a condition on the topic's ARN lets that topic in alone": noPolicies,
	"TestPermissionsOfTopics/a denial counts more than a permission":                  noPolicies,
	"TestPermissionsOfTopics/a policy that is none is refused":                        "it is kept",
}
